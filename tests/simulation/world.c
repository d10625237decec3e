#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txn.h"

enum { MEMORY_MAX = 64 * 1024 * 1024 };

static void *must(void *memory)
{
	if (memory == NULL) {
		fputs("simulation: out of memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return memory;
}

/* ---- life --------------------------------------------------------------- */

void world_init(struct world *world, struct tally *tally)
{
	memset(world, 0, sizeof(*world));
	world->tally = tally;
	world->heap_max = 1024;
	world->heap = must(malloc(world->heap_max * sizeof(*world->heap)));
	world->memory_max = MEMORY_MAX; /* untouched pages cost nothing */
	world->memory = must(malloc(world->memory_max));
}

void world_release(struct world *world)
{
	free(world->heap);
	free(world->memory);
}

void world_reset(struct world *world, uint64_t seed)
{
	world->random.state = seed;
	world->now_ns = 0;
	world->heal_ns = 0;
	world->trace_hash = UINT64_C(0xcbf29ce484222325);
	world->heap_n = 0;
	world->next_order = 0;
	world->memory_n = 0;
	world->violated = false;
	world->violation[0] = '\0';
}

void *world_alloc(struct world *world, size_t size)
{
	void *memory = world->memory + world->memory_n;

	size = (size + 15) & ~(size_t)15;
	if (size > world->memory_max - world->memory_n) {
		fputs("simulation: a history needs too much memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	world->memory_n += size;
	memset(memory, 0, size);
	return memory;
}

/* ---- what happens when -------------------------------------------------- */

static bool is_before(const struct event *a, const struct event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void grow_heap(struct world *world)
{
	size_t max = world->heap_max * 2 + 1;

	world->heap = must(realloc(world->heap, max * sizeof(*world->heap)));
	world->heap_max = max;
}

static void push(struct world *world, struct event event)
{
	size_t at = world->heap_n++;

	if (world->heap_n > world->heap_max) {
		grow_heap(world);
	}
	while (at > 0 && is_before(&event, &world->heap[(at - 1) / 2])) {
		world->heap[at] = world->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	world->heap[at] = event;
}

static struct event pop(struct world *world)
{
	struct event first = world->heap[0];
	struct event last = world->heap[--world->heap_n];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= world->heap_n) {
			break;
		}
		if (child + 1 < world->heap_n &&
		    is_before(&world->heap[child + 1], &world->heap[child])) {
			child++;
		}
		if (!is_before(&world->heap[child], &last)) {
			break;
		}
		world->heap[at] = world->heap[child];
		at = child;
	}
	world->heap[at] = last;
	return first;
}

void world_after(struct world *world, int64_t delay_ns, struct process *to,
		 happen_fn fn, void *arg)
{
	push(world, (struct event){ .at_ns = world->now_ns +
					     (delay_ns > 0 ? delay_ns : 0),
				    .order = world->next_order++,
				    .to = to,
				    .fn = fn,
				    .arg = arg });
}

static void happen(struct world *world, const struct event *event)
{
	struct process *to = event->to;

	if (to != NULL && to->dead) {
		return;
	}
	if (to != NULL && to->stalled_until_ns > world->now_ns) {
		world_after(world, to->stalled_until_ns - world->now_ns, to,
			    event->fn, event->arg);
		return;
	}
	world->tally->events++;
	event->fn(event->arg);
}

void world_run(struct world *world, int64_t until_ns)
{
	while (world->heap_n > 0 && world->heap[0].at_ns <= until_ns &&
	       !world->violated) {
		struct event event = pop(world);

		world->now_ns = event.at_ns;
		happen(world, &event);
	}
	world->now_ns = until_ns;
}

bool world_chance(struct world *world, int permille)
{
	return permille > 0 && !world_is_well(world) &&
	       random_permille(&world->random, permille);
}

/* ---- processes ---------------------------------------------------------- */

void process_kill(struct process *process)
{
	if (process->dead) {
		return;
	}
	world_trace(process->world, process->name, "dies", NULL, "");
	process->dead = true;
	process->world->tally->crashes++;
	process->on_death(process);
}

bool process_step(struct process *process)
{
	if (process->dead) {
		return false;
	}
	if (process->steps_left > 0 && --process->steps_left == 0) {
		process_kill(process);
		return false;
	}
	return true;
}

/* ---- the trace ---------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 32;
}

/* By eights: this is most of what the simulation does. */
static uint64_t mix_text(uint64_t hash, const char *text)
{
	size_t left = strlen(text);

	hash = mix(hash, left);
	while (left > 0) {
		size_t n = left < sizeof(uint64_t) ? left : sizeof(uint64_t);
		uint64_t word = 0;

		memcpy(&word, text, n);
		hash = mix(hash, word);
		text += n;
		left -= n;
	}
	return hash;
}

void world_trace(struct world *world, const char *who, const char *what,
		 const struct txn *txn, const char *how)
{
	uint64_t hash = mix(world->trace_hash, (uint64_t)world->now_ns);

	hash = mix_text(hash, who);
	hash = mix_text(hash, what);
	hash = mix(hash, txn != NULL ? (uint64_t)txn->number : 0);
	world->trace_hash = mix_text(hash, how);
	if (!world->tracing) {
		return;
	}
	printf("%9.3f ms  %-12s %-16s", (double)world->now_ns / 1e6, who, what);
	if (txn != NULL) {
		printf(" %s", txn->id);
	}
	printf(" %s\n", how);
}

void world_violation(struct world *world, const char *fmt, ...)
{
	va_list args;

	if (world->violated) {
		return;
	}
	world->violated = true;
	va_start(args, fmt);
	(void)vsnprintf(world->violation, sizeof(world->violation), fmt, args);
	va_end(args);
	world->tally->violations++;
}
