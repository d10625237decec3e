#include "echo.h"

#include <stdlib.h>
#include <string.h>

#include "history.h"

struct decision {
	struct disk_job job; /* first */
	struct exchange *exchange;
	bool refused;
};

struct exchange {
	struct echo *echo;
	const struct request *request;
	struct txn *txn;
	struct twopc_entry *entry;
	struct twopc_coordinator coordinator;
	struct stream *stream;
	struct decision decision;
};

static void exchange_step(struct exchange *ex,
			  enum twopc_coordinator_event event);

static struct world *world_of(const struct echo *echo)
{
	return echo->process.world;
}

/* Another process has opened the database since. */
static bool is_taken_over(const struct echo *echo)
{
	return strcmp(echo->site->stem, echo->stem) != 0;
}

/* ---- the record --------------------------------------------------------- */

static void on_decision(struct disk_job *job, bool really)
{
	struct decision *decision = (struct decision *)job;
	struct exchange *ex = decision->exchange;
	struct site *site = ex->echo->site;

	decision->refused = !twopc_stem_is_of(site->stem, ex->txn->id) &&
			    world_of(ex->echo)->mutant != MUTANT_NO_FENCE;
	if (really && !decision->refused) {
		world_trace(world_of(ex->echo), site->name, "decided", ex->txn,
			    "");
		ex->txn->row = true;
		ex->txn->decision = true;
	}
}

static void on_decided(struct disk_job *job, bool ok)
{
	struct decision *decision = (struct decision *)job;

	exchange_step(decision->exchange, ok && !decision->refused
						  ? TWOPC_DECIDED
						  : TWOPC_DECISION_REFUSED);
}

static void decide(struct exchange *ex)
{
	struct echo *echo = ex->echo;

	ex->decision.exchange = ex;
	ex->decision.job = (struct disk_job){
		.by = &echo->process,
		.run = on_decision,
		.done = on_decided,
		.unsynced = world_of(echo)->mutant == MUTANT_UNSYNCED_DECISION,
	};
	disk_do(&echo->site->disk, &ex->decision.job);
}

/* A deletion of decisions, for the resolver or too early. */
struct forgetting {
	struct disk_job job; /* first */
	struct echo *echo;
	const struct twopc_item *items;
	size_t items_n;
	bool refused;
	bool silent;
};

static void resolver_tell(struct echo *echo, enum twopc_resolver_event event,
			  const struct call *call);

static void on_forget(struct disk_job *job, bool really)
{
	struct forgetting *forgetting = (struct forgetting *)job;
	struct echo *echo = forgetting->echo;

	forgetting->refused = is_taken_over(echo);
	for (size_t i = 0; i < forgetting->items_n && really; i++) {
		struct txn *txn =
			history_find(echo->history, forgetting->items[i].id);

		if (!forgetting->refused) {
			world_trace(world_of(echo), echo->site->name,
				    "forgotten", txn, "");
			txn->decision = false;
		}
	}
}

static void on_exit_due(void *arg)
{
	process_kill(arg);
}

/* It can't do anything useful any more. */
static void exit_soon(struct echo *echo)
{
	struct world *world = world_of(echo);

	world_trace(world, echo->process.name, "is taken over", NULL, "");
	world_after(world, random_in(&world->random, 0, 50 * MS_NS),
		    &echo->process, on_exit_due, &echo->process);
}

static void on_forgotten(struct disk_job *job, bool ok)
{
	struct forgetting *forgetting = (struct forgetting *)job;

	if (ok && forgetting->refused) {
		exit_soon(forgetting->echo);
	}
	if (!forgetting->silent && process_step(&forgetting->echo->process)) {
		resolver_tell(forgetting->echo,
			      ok && !forgetting->refused
				      ? TWOPC_RESOLVER_ON_FORGOTTEN
				      : TWOPC_RESOLVER_ON_FAILED,
			      NULL);
	}
}

static void forget(struct echo *echo, const struct twopc_item *items,
		   size_t items_n, bool silent)
{
	struct forgetting *forgetting =
		world_alloc(world_of(echo), sizeof(*forgetting));

	forgetting->job = (struct disk_job){ .by = &echo->process,
					     .run = on_forget,
					     .done = on_forgotten };
	forgetting->echo = echo;
	forgetting->items = items;
	forgetting->items_n = items_n;
	forgetting->silent = silent;
	disk_do(&echo->site->disk, &forgetting->job);
}

/* ---- the resolver's jobs ------------------------------------------------ */

static const struct twopc_item *copy_items(struct echo *echo)
{
	size_t size = echo->resolver.items_n * sizeof(struct twopc_item);
	struct twopc_item *items = world_alloc(world_of(echo), size + 1);

	memcpy(items, echo->resolver.items, size);
	return items;
}

static struct call *new_call(struct echo *echo, enum twopc_job job)
{
	struct call *call = world_alloc(world_of(echo), sizeof(*call));

	call->net = echo->net;
	call->echo = echo;
	call->job = job;
	call->identity = echo->identity;
	return call;
}

static void call_worker(struct echo *echo, enum twopc_job job)
{
	struct call *call = new_call(echo, job);

	memcpy(call->after, echo->resolver.after, sizeof(call->after));
	if (job == TWOPC_JOB_RESOLVE) {
		memcpy(call->over_below, echo->resolver.over_below,
		       sizeof(call->over_below));
		if (world_of(echo)->mutant == MUTANT_EARLY_SEAL) {
			twopc_id_format(echo->stem, UINT64_MAX,
					call->over_below);
		}
		call->items = copy_items(echo);
		call->items_n = echo->resolver.items_n;
	}
	echo->call = call;
	net_call(call);
}

static void on_forgotten_already(void *arg)
{
	resolver_tell(arg, TWOPC_RESOLVER_ON_FORGOTTEN, NULL);
}

static void on_deaf(void *arg)
{
	struct echo *echo = arg;

	resolver_tell(echo, TWOPC_RESOLVER_ON_LISTED,
		      new_call(echo, TWOPC_JOB_LIST));
}

static void do_job(struct echo *echo, enum twopc_job job)
{
	struct world *world = world_of(echo);
	bool unsynced = world->mutant == MUTANT_UNSYNCED_FORGET;

	switch (job) {
	case TWOPC_JOB_NONE:
		break;
	case TWOPC_JOB_LIST:
		if (world->mutant == MUTANT_DEAF) {
			world_after(world, 0, &echo->process, on_deaf, echo);
		} else {
			call_worker(echo, job);
		}
		break;
	case TWOPC_JOB_RESOLVE:
		call_worker(echo, job);
		break;
	case TWOPC_JOB_FORGET:
		forget(echo, copy_items(echo), echo->resolver.items_n,
		       unsynced);
		if (unsynced) {
			world_after(world, 0, &echo->process,
				    on_forgotten_already, echo);
		}
		break;
	}
}

/* ---- the resolver ------------------------------------------------------- */

struct tick {
	struct echo *echo;
	uint64_t number;
};

static void on_tick(void *arg)
{
	struct tick *tick = arg;

	if (tick->number == tick->echo->tick &&
	    process_step(&tick->echo->process)) {
		resolver_tell(tick->echo, TWOPC_RESOLVER_ON_TICK, NULL);
	}
}

static void set_tick(struct echo *echo, int64_t at_ns)
{
	struct world *world = world_of(echo);
	struct tick *tick;

	echo->tick++;
	if (at_ns == CLOCK_NEVER) {
		return;
	}
	tick = world_alloc(world, sizeof(*tick));
	*tick = (struct tick){ .echo = echo, .number = echo->tick };
	world_after(world, at_ns - world->now_ns, &echo->process, on_tick,
		    tick);
}

static void on_confirmed(void *arg)
{
	exchange_step(arg, TWOPC_CONFIRMED);
}

static void check_contradictions(struct echo *echo)
{
	if (echo->resolver.stats.contradictions > 0 && !is_taken_over(echo)) {
		world_violation(world_of(echo),
				"%s: the resolver meets a contradiction",
				echo->process.name);
	}
}

static void resolver_tell(struct echo *echo, enum twopc_resolver_event event,
			  const struct call *call)
{
	struct world *world = world_of(echo);
	struct twopc_resolver_news news = { .event = event,
					    .now_ns = world->now_ns };
	struct twopc_resolver_update update;
	enum twopc_resolver_state before;
	struct exchange *ex;

	if (call != NULL) {
		news.ids = call->ids;
		news.ids_n = call->ids_n;
		news.more = call->more;
		news.verdicts = call->verdicts;
	}
	before = echo->resolver.state;
	twopc_resolver_step(&echo->resolver, &news, &update);
	world->tally->resolver[before] |= 1U << echo->resolver.state;
	world_trace(world, echo->process.name, twopc_resolver_event_name(event),
		    NULL, twopc_resolver_state_name(echo->resolver.state));
	check_contradictions(echo);
	while ((ex = twopc_registry_take_confirmed(echo->registry)) != NULL) {
		world_after(world, 0, &echo->process, on_confirmed, ex);
	}
	set_tick(echo, update.tick_ns);
	if (update.job != TWOPC_JOB_NONE && process_step(&echo->process)) {
		do_job(echo, update.job);
	}
}

/* Two of the planted bugs: roll back what is listed and should be left alone.
 */
static void roll_back_those(struct echo *echo, const struct call *listed,
			    enum twopc_standing standing)
{
	struct call *call = new_call(echo, TWOPC_JOB_RESOLVE);
	struct twopc_item *items = world_alloc(
		world_of(echo), (listed->ids_n + 1) * sizeof(*items));

	for (size_t i = 0; i < listed->ids_n; i++) {
		if (twopc_registry_look(echo->registry, listed->ids[i]) ==
		    standing) {
			memcpy(items[call->items_n].id, listed->ids[i],
			       TWOPC_ID_SIZE);
			items[call->items_n++].order = TWOPC_ORDER_ROLLBACK;
		}
	}
	call->items = items;
	call->over = true;
	if (call->items_n > 0) {
		net_call(call);
	}
}

void echo_on_call(struct echo *echo, struct call *call)
{
	enum mutant mutant = world_of(echo)->mutant;

	if (echo->call != call || !process_step(&echo->process)) {
		return;
	}
	echo->call = NULL;
	if (call->failed) {
		resolver_tell(echo, TWOPC_RESOLVER_ON_FAILED, NULL);
		return;
	}
	if (call->job == TWOPC_JOB_RESOLVE) {
		resolver_tell(echo, TWOPC_RESOLVER_ON_RESOLVED, call);
		return;
	}
	if (mutant == MUTANT_LIVE_IS_ABSENT) {
		roll_back_those(echo, call, TWOPC_LIVE_STANDING);
	} else if (mutant == MUTANT_LATER_IS_ABSENT) {
		roll_back_those(echo, call, TWOPC_LATER_STANDING);
	}
	resolver_tell(echo, TWOPC_RESOLVER_ON_LISTED, call);
}

void echo_on_reached(struct echo *echo)
{
	if (echo->started && process_step(&echo->process)) {
		resolver_tell(echo, TWOPC_RESOLVER_ON_REACHED, NULL);
	}
}

/* ---- exchanges ---------------------------------------------------------- */

static void on_left(void *arg)
{
	exchange_step(arg, TWOPC_ABANDONED);
}

static void leave_at(struct exchange *ex, int64_t after_ns)
{
	world_after(world_of(ex->echo), after_ns, &ex->echo->process, on_left,
		    ex);
}

static void note_answer(struct exchange *ex, enum answer answer)
{
	static const char *const names[] = { "none", "committed", "accepted",
					     "aborted" };
	struct txn *txn = ex->txn;

	world_trace(world_of(ex->echo), ex->echo->process.name, "answers", txn,
		    names[answer]);
	if (txn->answer != ANSWER_NONE &&
	    world_of(ex->echo)->mutant != MUTANT_EARLY_ANSWER) {
		world_violation(world_of(ex->echo), "%s is answered twice",
				txn->id);
	}
	if (txn->answer == ANSWER_NONE) {
		txn->answer = answer;
	}
}

static void on_no_worker(void *arg)
{
	exchange_step(arg, TWOPC_LINK_LOST);
}

static void send_prepare(struct exchange *ex)
{
	struct echo *echo = ex->echo;

	ex->stream = net_open(echo->net, &echo->process, ex, ex->txn,
			      ex->request->work_ns);
	if (ex->stream != NULL) {
		net_send(ex->stream, SIDE_ECHO, MESSAGE_PREPARE);
	} else {
		world_after(world_of(echo), MS_NS, &echo->process, on_no_worker,
			    ex);
	}
}

static void forget_early(struct exchange *ex)
{
	struct twopc_item *item =
		world_alloc(world_of(ex->echo), sizeof(*item));

	memcpy(item->id, ex->txn->id, TWOPC_ID_SIZE);
	forget(ex->echo, item, 1, true);
}

static void mark(struct exchange *ex, unsigned todo)
{
	struct world *world = world_of(ex->echo);

	twopc_registry_mark(ex->echo->registry, ex->entry, todo, world->now_ns);
	if (world->mutant == MUTANT_EARLY_FORGET &&
	    (todo == TWOPC_MARK_DECIDED || todo == TWOPC_MARK_ORPHANED)) {
		forget_early(ex);
	}
}

static void end(struct exchange *ex)
{
	twopc_registry_release(ex->echo->registry, ex->entry);
	ex->entry = NULL;
	ex->txn->ended = true;
	if (ex->stream != NULL) {
		net_close(ex->stream, SIDE_ECHO);
	}
}

static void check_contradiction(struct exchange *ex)
{
	if (!is_taken_over(ex->echo)) {
		world_violation(world_of(ex->echo),
				"%s: the worker contradicts", ex->txn->id);
	}
}

/* Each on its own, since the process may die before any of them. */
static void exchange_do(struct exchange *ex, unsigned todo)
{
	switch (todo) {
	case TWOPC_UNDO:
		break; /* staged rows: nothing that a disk would know of */
	case TWOPC_MARK_DECIDED:
	case TWOPC_MARK_ORPHANED:
	case TWOPC_MARK_SETTLED:
	case TWOPC_MARK_GONE:
		mark(ex, todo);
		break;
	case TWOPC_SEND_PREPARE:
		send_prepare(ex);
		break;
	case TWOPC_SEND_COMMIT:
		net_send(ex->stream, SIDE_ECHO, MESSAGE_COMMIT);
		break;
	case TWOPC_SEND_ROLLBACK:
		/* Not begun, where nobody was there. */
		if (ex->stream != NULL) {
			net_send(ex->stream, SIDE_ECHO, MESSAGE_ROLLBACK);
		}
		break;
	case TWOPC_DECIDE:
		if (world_of(ex->echo)->mutant == MUTANT_EARLY_ANSWER) {
			note_answer(ex, ANSWER_COMMITTED);
		}
		decide(ex);
		break;
	case TWOPC_NUDGE:
		resolver_tell(ex->echo, TWOPC_RESOLVER_ON_NUDGE, NULL);
		break;
	case TWOPC_CONTRADICTION:
		check_contradiction(ex);
		break;
	case TWOPC_ANSWER_COMMITTED:
		note_answer(ex, ANSWER_COMMITTED);
		break;
	case TWOPC_ANSWER_ACCEPTED:
		note_answer(ex, ANSWER_ACCEPTED);
		break;
	case TWOPC_ANSWER_ABORTED:
		note_answer(ex, ANSWER_ABORTED);
		break;
	case TWOPC_END:
		end(ex);
		break;
	default:
		world_violation(world_of(ex->echo), "an exchange is to do %#x",
				todo);
	}
}

/* What concerns the client, before the event is stepped. */
static void note_event(struct exchange *ex, enum twopc_coordinator_event event)
{
	enum twopc_coordinator_state state = ex->coordinator.state;

	if (event == TWOPC_ABANDONED &&
	    (state == TWOPC_COORDINATOR_OPEN ||
	     state == TWOPC_COORDINATOR_PREPARING)) {
		ex->txn->left_undecided = true;
		world_of(ex->echo)->tally->left++;
	}
	if (event == TWOPC_ABANDONED && state == TWOPC_COORDINATOR_DECIDING &&
	    ex->echo->decides_in_scope) {
		disk_decline(&ex->decision.job);
	}
	if (ex->request->leaving == LEAVES_AT_AN_EVENT &&
	    event == ex->request->at) {
		leave_at(ex, ex->request->leaves_ns);
	}
}

static void exchange_step(struct exchange *ex,
			  enum twopc_coordinator_event event)
{
	struct process *process = &ex->echo->process;
	enum twopc_coordinator_state before;
	unsigned todo;

	if (!process_step(process)) {
		return;
	}
	note_event(ex, event);
	before = ex->coordinator.state;
	todo = twopc_coordinator_step(&ex->coordinator, event);
	process->world->tally->coordinator[before] |= 1U
						      << ex->coordinator.state;
	world_trace(process->world, process->name,
		    twopc_coordinator_event_name(event), ex->txn,
		    twopc_coordinator_state_name(ex->coordinator.state));
	for (unsigned bit = 1; bit <= todo; bit <<= 1) {
		if ((todo & bit) != 0 && process_step(process)) {
			exchange_do(ex, bit);
		}
	}
}

void exchange_on_message(struct exchange *ex, enum message message)
{
	switch (message) {
	case MESSAGE_PREPARED:
		exchange_step(ex, TWOPC_VOTED_YES);
		break;
	case MESSAGE_COMMITTED:
		exchange_step(ex, TWOPC_CONFIRMED);
		break;
	case MESSAGE_ROLLED_BACK:
		exchange_step(ex, TWOPC_ROLLED_BACK);
		break;
	case MESSAGE_REFUSED:
		exchange_step(ex, TWOPC_VOTED_NO);
		break;
	case MESSAGE_ENDED:
		exchange_step(ex, TWOPC_LINK_LOST);
		break;
	case MESSAGE_PREPARE:
	case MESSAGE_COMMIT:
	case MESSAGE_ROLLBACK:
	case MESSAGE_NR:
	default:
		world_violation(world_of(ex->echo), "%s is sent '%s'",
				ex->echo->process.name, message_name(message));
	}
}

void exchange_on_lost(struct exchange *ex)
{
	exchange_step(ex, TWOPC_LINK_LOST);
}

/* The stream has a deadline too, a little after the client's. */
static void on_stream_deadline(void *arg)
{
	struct exchange *ex = arg;

	if (ex->entry == NULL || ex->stream == NULL ||
	    ex->stream->closed[SIDE_ECHO]) {
		return;
	}
	net_close(ex->stream, SIDE_ECHO);
	exchange_step(ex, TWOPC_LINK_LOST);
}

static void set_deadlines(struct exchange *ex)
{
	struct world *world = world_of(ex->echo);
	const struct request *request = ex->request;

	leave_at(ex, request->deadline_ns);
	world_after(world,
		    request->deadline_ns +
			    random_in(&world->random, 0, 100 * MS_NS),
		    &ex->echo->process, on_stream_deadline, ex);
	if (request->leaving == LEAVES_BY_THE_CLOCK) {
		leave_at(ex, request->leaves_ns);
	}
}

void echo_request(struct site *site, const struct request *request)
{
	struct echo *echo = site->echo;
	struct exchange *ex;

	if (echo == NULL || !echo->started || !process_step(&echo->process)) {
		return;
	}
	ex = world_alloc(world_of(echo), sizeof(*ex));
	ex->echo = echo;
	ex->request = request;
	twopc_coordinator_init(&ex->coordinator);
	if (twopc_registry_begin(echo->registry, ex, world_of(echo)->now_ns,
				 &ex->entry, NULL) != STATUS_OK) {
		return;
	}
	ex->txn = history_txn(echo->history, twopc_entry_id(ex->entry),
			      echo->identity);
	ex->txn->echo = &echo->process;
	world_of(echo)->tally->requests++;
	set_deadlines(ex);
	/* Now and then the owner's own rows are refused. */
	exchange_step(ex, world_chance(world_of(echo), 10) ? TWOPC_ABANDONED
							   : TWOPC_BEGIN);
}

/* ---- life --------------------------------------------------------------- */

struct opening {
	struct disk_job job; /* first */
	struct echo *echo;
	uint64_t unix_ms;
	uint64_t random;
	struct txn **decided; /* ascending */
	size_t decided_n;
};

static int by_id(const void *a, const void *b)
{
	const struct txn *const *x = a;
	const struct txn *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

/* In the transaction that takes over. */
static void read_decisions(struct opening *opening)
{
	struct history *history = opening->echo->history;

	opening->decided_n = 0;
	opening->decided =
		world_alloc(history->world, ((size_t)history->txns_n + 1) *
						    sizeof(*opening->decided));
	for (struct txn *txn = history->txns; txn != NULL; txn = txn->next) {
		if (txn->identity == opening->echo->identity && txn->decision) {
			opening->decided[opening->decided_n++] = txn;
		}
	}
	qsort(opening->decided, opening->decided_n, sizeof(*opening->decided),
	      by_id);
}

static void on_open(struct disk_job *job, bool really)
{
	struct opening *opening = (struct opening *)job;
	struct echo *echo = opening->echo;
	struct site *site = echo->site;

	if (!really) {
		return;
	}
	if (site->identity == NULL) {
		site->identity = history_identity(echo->history);
	}
	echo->identity = site->identity;
	twopc_stem_next(site->stem, opening->unix_ms, opening->random,
			echo->stem);
	memcpy(site->stem, echo->stem, sizeof(site->stem));
	read_decisions(opening);
}

static void load(struct echo *echo, const struct opening *opening)
{
	struct status err;

	for (size_t i = 0; i < opening->decided_n; i++) {
		if (twopc_registry_load(echo->registry, opening->decided[i]->id,
					world_of(echo)->now_ns,
					&err) != STATUS_OK) {
			world_violation(world_of(echo), "%s", err.message);
		}
	}
}

static void open_database(struct echo *echo);

static void on_opened(struct disk_job *job, bool ok)
{
	struct opening *opening = (struct opening *)job;
	struct echo *echo = opening->echo;

	if (!process_step(&echo->process)) {
		return;
	}
	if (!ok) { /* the disk was full: as if started once more */
		open_database(echo);
		return;
	}
	echo->registry = twopc_registry_new(echo->stem, 1000);
	load(echo, opening);
	twopc_resolver_init(&echo->resolver, echo->registry);
	echo->started = true;
	world_trace(world_of(echo), echo->process.name, "started", NULL,
		    echo->stem);
	resolver_tell(echo, TWOPC_RESOLVER_ON_START, NULL);
}

/* The clock of the machine jumps about between two starts. */
static void open_database(struct echo *echo)
{
	struct world *world = world_of(echo);
	struct opening *opening = world_alloc(world, sizeof(*opening));

	opening->job = (struct disk_job){ .by = &echo->process,
					  .run = on_open,
					  .done = on_opened };
	opening->echo = echo;
	opening->unix_ms = (uint64_t)(1000000 + world->now_ns / MS_NS +
				      random_in(&world->random, -900, 900));
	opening->random = random_next(&world->random);
	disk_do(&echo->site->disk, &opening->job);
}

static void on_death(struct process *process)
{
	struct echo *echo = (struct echo *)process;

	for (struct stream *stream = echo->streams; stream != NULL;
	     stream = stream->next[SIDE_ECHO]) {
		net_drop(stream, SIDE_ECHO);
	}
	disk_on_death(&echo->site->disk, process);
	history_on_echo_death(echo->history, echo);
}

void echo_start(struct site *site)
{
	struct history *history = site->history;
	struct echo *echo = world_alloc(history->world, sizeof(*echo));

	echo->process = (struct process){ .world = history->world,
					  .name = site->name,
					  .steps_left = -1,
					  .on_death = on_death };
	echo->history = history;
	echo->site = site;
	echo->net = &history->net;
	echo->decides_in_scope = random_percent(&history->world->random, 50);
	echo->next = history->echos;
	history->echos = echo;
	site->echo = echo;
	world_trace(history->world, site->name, "starts", NULL, "");
	open_database(echo);
}
