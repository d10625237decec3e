/*
 * A world in one thread: virtual time, things that happen at an instant, memory
 * that lives as long as a history, a trace, and what was found to be wrong.
 *
 * Nothing in it depends on addresses, on the machine's clock or on anything but
 * the seed.
 */
#ifndef RESCIND_SIMULATION_WORLD_H
#define RESCIND_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mutants.h"
#include "random.h"
#include "twopc/coordinator.h"
#include "twopc/participant.h"
#include "twopc/resolver.h"

#define US_NS INT64_C(1000)
#define MS_NS INT64_C(1000000)

struct world;
struct txn;

/* Whoever can die: at a crash, what is on its way to it is dropped. */
struct process {
	struct world *world;
	const char *name;
	bool dead;
	int64_t stalled_until_ns; /* stopped: things reach it only after that */
	int64_t steps_left; /* dies at the step that makes it 0; -1: not */
	void (*on_death)(struct process *process);
};

typedef void (*happen_fn)(void *arg);

struct event {
	int64_t at_ns;
	uint64_t order;	    /* among those of the same instant */
	struct process *to; /* NULL: to the world */
	happen_fn fn;
	void *arg;
};

/* What is counted, over all histories. */
struct tally {
	uint64_t histories;
	uint64_t requests;
	uint64_t committed, accepted, aborted, unanswered;
	uint64_t left; /* clients, before their answer */
	uint64_t events;
	uint64_t crashes, stalls, takeovers, wipes;
	uint64_t breaks, duplicates, replays, partitions, disk_failures;
	uint64_t resolved_committed, resolved_rolled_back;
	uint64_t left_prepared; /* for coordinators that are no more */
	uint64_t violations;
	int64_t slowest_ns; /* the last doubt, after all was well again */
	/* Moves that were seen: sets of states, by the state before. */
	unsigned coordinator[TWOPC_COORDINATOR_STATE_NR];
	unsigned participant[TWOPC_PARTICIPANT_STATE_NR];
	unsigned resolver[TWOPC_RESOLVER_STATE_NR];
};

enum { WORLD_MESSAGE_SIZE = 256 };

struct world {
	struct random random;
	enum mutant mutant;
	bool tracing;
	int64_t now_ns;
	int64_t heal_ns; /* from then on nothing goes wrong any more */
	uint64_t trace_hash;
	struct tally *tally;

	struct event *heap;
	size_t heap_n, heap_max;
	uint64_t next_order;
	char *memory; /* all that a history needs, at once */
	size_t memory_n, memory_max;

	bool violated;
	char violation[WORLD_MESSAGE_SIZE];
};

void world_init(struct world *world, struct tally *tally);
void world_release(struct world *world);
/* Begin anew, with this seed. */
void world_reset(struct world *world, uint64_t seed);

/* Zeroed, until the next reset. */
void *world_alloc(struct world *world, size_t size);

/* Have @fn called after @delay_ns; not if @to (may be NULL) is dead by then. */
void world_after(struct world *world, int64_t delay_ns, struct process *to,
		 happen_fn fn, void *arg);
/* Let things happen until there are none, or it is @until_ns, or something is
 * wrong. */
void world_run(struct world *world, int64_t until_ns);

/* Whether nothing goes wrong any more. */
static inline bool world_is_well(const struct world *world)
{
	return world->now_ns >= world->heal_ns;
}

/* A chance in a thousand, none once all is well. */
bool world_chance(struct world *world, int permille);

/*
 * Something that @process does now: false if it died first (or was dead), so
 * that it is not done.
 */
bool process_step(struct process *process);
void process_kill(struct process *process);

/*
 * Note that something happened: into the hash always, and printed where asked
 * for. @who, @what and @how are names; @txn may be NULL.
 */
void world_trace(struct world *world, const char *who, const char *what,
		 const struct txn *txn, const char *how);

/* The first one counts. */
void world_violation(struct world *world, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
