#include "worker.h"

#include <string.h>

#include "history.h"

struct task {
	struct worker *worker;
	struct stream *stream;
	struct txn *txn;
	struct twopc_participant participant;
	uint64_t work; /* the number of the work that counts */
	struct order *prepare;
};

/* ---- the record --------------------------------------------------------- */

/* An order on its way through the record. */
struct order {
	struct disk_job job; /* first */
	struct worker *worker;
	struct txn *txn;
	enum twopc_order order;
	enum twopc_verdict verdict;
	void (*done)(struct order *order);
	void *arg;
};

static struct twopc_ruling rule(const struct order *order)
{
	const struct txn *txn = order->txn;
	enum mutant mutant = order->worker->process.world->mutant;
	bool over = strcmp(txn->id, txn->identity->over_below) < 0 &&
		    mutant != MUTANT_NO_BOUND;
	struct twopc_ruling ruling = twopc_rule(order->order, txn->state, over);

	if (mutant == MUTANT_COMMIT_UNKNOWN &&
	    order->order == TWOPC_ORDER_COMMIT &&
	    ruling.verdict == TWOPC_VERDICT_UNKNOWN) {
		ruling.verdict = TWOPC_VERDICT_COMMITTED;
	}
	return ruling;
}

static void do_effect(struct order *order, enum twopc_effect effect)
{
	struct txn *txn = order->txn;

	switch (effect) {
	case TWOPC_EFFECT_NONE:
		break;
	case TWOPC_EFFECT_ADD_PREPARED:
		txn->state = TWOPC_ROW_PREPARED;
		break;
	case TWOPC_EFFECT_APPLY:
		txn->state = TWOPC_ROW_COMMITTED;
		txn->works++;
		break;
	case TWOPC_EFFECT_ADD_ROLLED_BACK:
	case TWOPC_EFFECT_UNDO:
		txn->state = TWOPC_ROW_ROLLED_BACK;
		break;
	case TWOPC_EFFECT_DROP:
		txn->state = TWOPC_ROW_NONE;
		break;
	}
}

static void on_order(struct disk_job *job, bool really)
{
	struct order *order = (struct order *)job;
	struct world *world = order->worker->process.world;
	struct txn *txn = order->txn;
	struct twopc_ruling ruling = rule(order);

	order->verdict = ruling.verdict;
	if (!really) {
		return;
	}
	world_trace(world, "record", twopc_order_name(order->order), txn,
		    twopc_verdict_name(ruling.verdict));
	if (order->order == TWOPC_ORDER_COMMIT &&
	    ruling.verdict == TWOPC_VERDICT_COMMITTED &&
	    txn->state == TWOPC_ROW_NONE) {
		world_violation(world, "a commit of the unknown %s succeeded",
				txn->id);
	}
	do_effect(order, ruling.effect);
	if (txn->works > 1) {
		world_violation(world, "%s is committed twice", txn->id);
	}
}

static void on_order_done(struct disk_job *job, bool ok)
{
	struct order *order = (struct order *)job;

	if (!ok) {
		order->verdict = TWOPC_VERDICT_FAILED;
	}
	order->done(order);
}

static bool is_unsynced(const struct world *world, enum twopc_order order)
{
	return (world->mutant == MUTANT_UNSYNCED_PREPARE &&
		order == TWOPC_ORDER_PREPARE) ||
	       (world->mutant == MUTANT_UNSYNCED_COMMIT &&
		order == TWOPC_ORDER_COMMIT);
}

static struct order *give(struct worker *worker, struct txn *txn,
			  enum twopc_order which,
			  void (*done)(struct order *order), void *arg)
{
	struct world *world = worker->process.world;
	struct order *order = world_alloc(world, sizeof(*order));

	order->job = (struct disk_job){
		.by = &worker->process,
		.run = on_order,
		.done = on_order_done,
		.unsynced = is_unsynced(world, which),
	};
	order->worker = worker;
	order->txn = txn;
	order->order = which;
	order->done = done;
	order->arg = arg;
	disk_do(worker->disk, &order->job);
	return order;
}

/* ---- tasks -------------------------------------------------------------- */

static void task_step(struct task *task, enum twopc_participant_event event);

static void on_stored(struct order *order)
{
	task_step(order->arg, twopc_participant_stored(order->verdict));
}

struct work {
	struct task *task;
	uint64_t number;
};

static void on_worked(void *arg)
{
	struct work *work = arg;
	struct task *task = work->task;

	if (work->number != task->work) {
		return;
	}
	task->work++;
	task_step(task, world_chance(task->worker->process.world, 30)
				? TWOPC_AT_WORK_FAILED
				: TWOPC_AT_WORK_DONE);
}

static void begin_work(struct task *task)
{
	struct world *world = task->worker->process.world;
	struct work *work = world_alloc(world, sizeof(*work));

	*work = (struct work){ .task = task, .number = ++task->work };
	world_after(world, task->stream->work_ns, &task->worker->process,
		    on_worked, work);
}

/* What a status says of the row; a transport's never does. */
static enum message refusal(struct task *task)
{
	if (task->participant.state == TWOPC_PARTICIPANT_IN_DOUBT ||
	    random_percent(&task->worker->process.world->random, 50)) {
		return MESSAGE_ENDED;
	}
	return MESSAGE_REFUSED;
}

static void task_send(struct task *task, enum message message)
{
	net_send(task->stream, SIDE_WORKER, message);
}

/* Each on its own, since the process may die before any of them. */
static void task_do(struct task *task, unsigned todo)
{
	switch (todo) {
	case TWOPC_WORK:
		begin_work(task);
		break;
	case TWOPC_STOP_WORK:
		task->work++;
		break;
	case TWOPC_STORE_PREPARE:
		task->prepare = give(task->worker, task->txn,
				     TWOPC_ORDER_PREPARE, on_stored, task);
		break;
	case TWOPC_STORE_COMMIT:
		(void)give(task->worker, task->txn, TWOPC_ORDER_COMMIT,
			   on_stored, task);
		break;
	case TWOPC_STORE_ROLLBACK:
		(void)give(task->worker, task->txn, TWOPC_ORDER_ROLLBACK,
			   on_stored, task);
		break;
	case TWOPC_HURRY:
		disk_decline(&task->prepare->job);
		break;
	case TWOPC_SEND_PREPARED:
		task_send(task, MESSAGE_PREPARED);
		break;
	case TWOPC_SEND_COMMITTED:
		task_send(task, MESSAGE_COMMITTED);
		break;
	case TWOPC_SEND_ROLLED_BACK:
		task_send(task, MESSAGE_ROLLED_BACK);
		break;
	case TWOPC_REFUSE:
		task_send(task, refusal(task));
		break;
	case TWOPC_FINISH:
		net_close(task->stream, SIDE_WORKER);
		break;
	default:
		world_violation(task->worker->process.world,
				"a task is to do %#x", todo);
	}
}

static void task_step(struct task *task, enum twopc_participant_event event)
{
	struct process *process = &task->worker->process;
	enum twopc_participant_state before;
	unsigned todo;

	if (!process_step(process)) {
		return;
	}
	before = task->participant.state;
	todo = twopc_participant_step(&task->participant, event);
	process->world->tally->participant[before] |=
		1U << task->participant.state;
	world_trace(process->world, process->name,
		    twopc_participant_event_name(event), task->txn,
		    twopc_participant_state_name(task->participant.state));
	for (unsigned bit = 1; bit <= todo; bit <<= 1) {
		if ((todo & bit) != 0 && process_step(process)) {
			task_do(task, bit);
		}
	}
}

struct task *worker_accept(struct worker *worker, struct stream *stream)
{
	struct task *task = world_alloc(worker->process.world, sizeof(*task));

	task->worker = worker;
	task->stream = stream;
	task->txn = stream->txn;
	twopc_participant_init(&task->participant);
	return task;
}

void task_on_message(struct task *task, enum message message)
{
	switch (message) {
	case MESSAGE_PREPARE:
		task_step(task, TWOPC_AT_PREPARE);
		break;
	case MESSAGE_COMMIT:
		task_step(task, TWOPC_AT_COMMIT);
		break;
	case MESSAGE_ROLLBACK:
		task_step(task, TWOPC_AT_ROLLBACK);
		break;
	case MESSAGE_PREPARED:
	case MESSAGE_COMMITTED:
	case MESSAGE_ROLLED_BACK:
	case MESSAGE_REFUSED:
	case MESSAGE_ENDED:
	case MESSAGE_NR:
	default:
		world_violation(task->worker->process.world,
				"the worker is sent '%s'",
				message_name(message));
	}
}

static void on_nothing(struct order *order)
{
	(void)order;
}

void task_on_lost(struct task *task)
{
	if (task->worker->process.world->mutant == MUTANT_BY_ITSELF &&
	    task->participant.state == TWOPC_PARTICIPANT_PREPARED) {
		(void)give(task->worker, task->txn, TWOPC_ORDER_ROLLBACK,
			   on_nothing, NULL);
	}
	task_step(task, TWOPC_AT_LINK_LOST);
}

/* ---- resolvers' calls --------------------------------------------------- */

/* Into its place; what does not fit falls off at the end. */
static void add_to_page(struct call *call, const char *id, size_t page_max)
{
	size_t at = call->ids_n;

	if (call->ids_n == page_max) {
		call->more = true;
		if (strcmp(id, call->ids[page_max - 1]) > 0) {
			return;
		}
		at = page_max - 1;
	} else {
		call->ids_n++;
	}
	while (at > 0 && strcmp(id, call->ids[at - 1]) < 0) {
		call->ids[at] = call->ids[at - 1];
		at--;
	}
	call->ids[at] = id;
}

static void list(struct worker *worker, struct call *call)
{
	struct history *history = worker->history;
	bool anybodys = worker->process.world->mutant == MUTANT_ANYBODYS;

	call->ids_n = 0;
	call->more = false;
	for (struct txn *txn = history->txns; txn != NULL; txn = txn->next) {
		if (txn->state == TWOPC_ROW_PREPARED &&
		    (txn->identity == call->identity || anybodys) &&
		    strcmp(txn->id, call->after) > 0) {
			add_to_page(call, txn->id, (size_t)history->page_max);
		}
	}
	net_answer(call);
}

struct item {
	struct call *call;
	size_t at;
};

struct sealing {
	struct disk_job job; /* first */
	struct history *history;
	struct call *call;
};

static void on_seal(struct disk_job *job, bool really)
{
	struct sealing *sealing = (struct sealing *)job;
	struct identity *identity = sealing->call->identity;
	const char *below = sealing->call->over_below;

	if (!really) {
		return;
	}
	world_trace(sealing->history->world, "record", "seal", NULL, below);
	if (strcmp(below, identity->over_below) > 0) {
		memcpy(identity->over_below, below, TWOPC_ID_SIZE);
	}
	for (struct txn *txn = sealing->history->txns; txn != NULL;
	     txn = txn->next) {
		if (txn->identity == identity &&
		    txn->state != TWOPC_ROW_PREPARED &&
		    strcmp(txn->id, below) < 0) {
			txn->state = TWOPC_ROW_NONE;
		}
	}
}

static void on_sealed(struct disk_job *job, bool ok)
{
	struct sealing *sealing = (struct sealing *)job;

	sealing->call->failed = !ok;
	net_answer(sealing->call);
}

static void seal_or_answer(struct worker *worker, struct call *call)
{
	struct sealing *sealing;

	if (call->over_below[0] == '\0') {
		net_answer(call);
		return;
	}
	sealing = world_alloc(worker->process.world, sizeof(*sealing));
	sealing->job = (struct disk_job){ .by = &worker->process,
					  .run = on_seal,
					  .done = on_sealed };
	sealing->history = worker->history;
	sealing->call = call;
	disk_do(worker->disk, &sealing->job);
}

static void on_resolved(struct order *order)
{
	struct item *item = order->arg;
	struct call *call = item->call;

	if (!process_step(&order->worker->process)) {
		return;
	}
	call->verdicts[item->at] = order->verdict;
	/* In order: the last is done last. */
	if (item->at + 1 == call->items_n) {
		seal_or_answer(order->worker, call);
	}
}

static void resolve_one(struct worker *worker, struct call *call, size_t at)
{
	struct world *world = worker->process.world;
	struct txn *txn = history_find(worker->history, call->items[at].id);
	struct item *item = world_alloc(world, sizeof(*item));

	*item = (struct item){ .call = call, .at = at };
	if (txn == NULL || txn->identity != call->identity) {
		world_violation(world, "coordinator %d says %s of %s",
				call->identity->number,
				twopc_order_name(call->items[at].order),
				call->items[at].id);
		return;
	}
	(void)give(worker, txn, call->items[at].order, on_resolved, item);
}

static void resolve(struct worker *worker, struct call *call)
{
	call->verdicts =
		world_alloc(worker->process.world,
			    (call->items_n + 1) * sizeof(*call->verdicts));
	for (size_t at = 0; at < call->items_n; at++) {
		resolve_one(worker, call, at);
	}
	if (call->items_n == 0) {
		seal_or_answer(worker, call);
	}
}

void worker_on_call(struct worker *worker, struct call *call)
{
	if (!process_step(&worker->process)) {
		return;
	}
	if (call->job == TWOPC_JOB_LIST) {
		list(worker, call);
	} else {
		resolve(worker, call);
	}
}

/* ---- life --------------------------------------------------------------- */

static void on_death(struct process *process)
{
	struct worker *worker = (struct worker *)process;

	for (struct stream *stream = worker->streams; stream != NULL;
	     stream = stream->next[SIDE_WORKER]) {
		net_drop(stream, SIDE_WORKER);
	}
	disk_on_death(worker->disk, process);
	history_on_worker_death(worker->history, worker);
}

struct worker *worker_new(struct history *history, const char *name)
{
	struct worker *worker = world_alloc(history->world, sizeof(*worker));

	worker->process = (struct process){ .world = history->world,
					    .name = name,
					    .steps_left = -1,
					    .on_death = on_death };
	worker->history = history;
	worker->net = &history->net;
	worker->disk = &history->worker_disk;
	return worker;
}
