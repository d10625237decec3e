#include "net.h"

#include <string.h>

#include "echo.h"
#include "worker.h"

const char *message_name(enum message message)
{
	static const char *const names[MESSAGE_NR] = {
#define MESSAGE_TEXT(symbol, name) [MESSAGE_##symbol] = (name),
		MESSAGES(MESSAGE_TEXT)
#undef MESSAGE_TEXT
	};

	return names[message];
}

static enum side other(enum side side)
{
	return side == SIDE_ECHO ? SIDE_WORKER : SIDE_ECHO;
}

static const char *name_of(const struct process *process)
{
	return process != NULL ? process->name : "replay";
}

/* ---- how long it takes --------------------------------------------------- */

static int64_t delay_ns(struct net *net)
{
	struct random *random = &net->world->random;

	if (world_is_well(net->world)) {
		return random_in(random, 20 * US_NS, MS_NS);
	}
	return random_in(random, 20 * US_NS, net->delay_max_ns);
}

static int64_t notice_ns(struct net *net)
{
	struct random *random = &net->world->random;

	if (world_is_well(net->world)) {
		return random_in(random, 0, 5 * MS_NS);
	}
	return random_in(random, 0, net->notice_max_ns);
}

/* Not before all is well, if it would be after that. */
static int64_t at_the_latest_ns(struct net *net, int64_t at_ns)
{
	struct world *world = net->world;

	return world_is_well(world) || at_ns < world->heal_ns ? at_ns
							      : world->heal_ns;
}

/* What is sent while the site is cut off waits until it is not. */
static int64_t leaves_ns(const struct world *world, const struct echo *echo)
{
	return echo != NULL && echo->cut_off_until_ns > world->now_ns
		       ? echo->cut_off_until_ns
		       : world->now_ns;
}

static const struct echo *echo_of(const struct stream *stream)
{
	return (const struct echo *)stream->ends[SIDE_ECHO];
}

/* ---- streams ------------------------------------------------------------ */

static void open_on_worker(struct stream *stream)
{
	struct worker *worker = stream->net->worker;

	stream->ends[SIDE_WORKER] = &worker->process;
	stream->next[SIDE_WORKER] = worker->streams;
	worker->streams = stream;
	stream->task = worker_accept(worker, stream);
}

static struct stream *stream_new(struct net *net, struct txn *txn,
				 int64_t work_ns)
{
	struct stream *stream = world_alloc(net->world, sizeof(*stream));

	stream->net = net;
	stream->txn = txn;
	stream->work_ns = work_ns;
	stream->cut_ns[SIDE_ECHO] = INT64_MAX;
	stream->cut_ns[SIDE_WORKER] = INT64_MAX;
	return stream;
}

struct stream *net_open(struct net *net, struct process *echo,
			struct exchange *exchange, struct txn *txn,
			int64_t work_ns)
{
	struct stream *stream;

	if (net->worker == NULL) {
		return NULL;
	}
	stream = stream_new(net, txn, work_ns);
	stream->ends[SIDE_ECHO] = echo;
	stream->exchange = exchange;
	stream->next[SIDE_ECHO] = ((struct echo *)echo)->streams;
	((struct echo *)echo)->streams = stream;
	open_on_worker(stream);
	return stream;
}

struct side_of {
	struct stream *stream;
	enum side side;
};

static void on_lost(void *arg)
{
	struct side_of *lost = arg;
	struct stream *stream = lost->stream;

	if (stream->closed[lost->side]) {
		return;
	}
	stream->closed[lost->side] = true;
	world_trace(stream->net->world, name_of(stream->ends[lost->side]),
		    "link lost", stream->txn, "");
	if (lost->side == SIDE_ECHO) {
		exchange_on_lost(stream->exchange);
	} else {
		task_on_lost(stream->task);
	}
}

/* Have @side hear that it is over, @after_ns from now. */
static void tell_lost(struct stream *stream, enum side side, int64_t after_ns)
{
	struct world *world = stream->net->world;
	struct side_of *lost;

	if (stream->ends[side] == NULL || stream->closed[side]) {
		return;
	}
	lost = world_alloc(world, sizeof(*lost));
	*lost = (struct side_of){ .stream = stream, .side = side };
	world_after(world, after_ns, stream->ends[side], on_lost, lost);
}

static int64_t later_notice_ns(struct net *net, int64_t cut_ns)
{
	return at_the_latest_ns(net, cut_ns + notice_ns(net)) -
	       net->world->now_ns;
}

/* From some moment on nothing arrives any more, on each side for itself. */
static void break_stream(struct stream *stream)
{
	struct net *net = stream->net;

	net->world->tally->breaks++;
	for (int side = 0; side < 2; side++) {
		int64_t cut_ns = net->world->now_ns + delay_ns(net);

		if (cut_ns < stream->cut_ns[side]) {
			stream->cut_ns[side] = cut_ns;
		}
		tell_lost(stream, (enum side)side,
			  later_notice_ns(net, stream->cut_ns[side]));
	}
}

void net_close(struct stream *stream, enum side side)
{
	enum side peer = other(side);
	int64_t at_ns;

	if (stream->closed[side]) {
		return;
	}
	stream->closed[side] = true;
	/* After what was sent before. */
	at_ns = stream->net->world->now_ns + delay_ns(stream->net);
	if (at_ns < stream->arrived_ns[peer]) {
		at_ns = stream->arrived_ns[peer];
	}
	tell_lost(stream, peer, at_ns - stream->net->world->now_ns);
}

void net_drop(struct stream *stream, enum side side)
{
	struct net *net = stream->net;
	enum side peer = other(side);
	int64_t cut_ns = net->world->now_ns + delay_ns(net);

	if (stream->closed[side]) {
		return;
	}
	stream->closed[side] = true;
	if (cut_ns < stream->cut_ns[peer]) {
		stream->cut_ns[peer] = cut_ns;
	}
	tell_lost(stream, peer, later_notice_ns(net, cut_ns));
}

/* ---- messages ----------------------------------------------------------- */

struct parcel {
	struct stream *stream;
	enum side to;
	enum message message;
};

static void hand_over(const struct parcel *parcel)
{
	struct stream *stream = parcel->stream;

	if (stream->closed[parcel->to] ||
	    stream->net->world->now_ns >= stream->cut_ns[parcel->to]) {
		return;
	}
	if (parcel->to == SIDE_ECHO) {
		exchange_on_message(stream->exchange, parcel->message);
	} else {
		task_on_message(stream->task, parcel->message);
	}
}

static void on_parcel(void *arg)
{
	hand_over(arg);
}

static struct parcel *pack(struct stream *stream, enum side to,
			   enum message message)
{
	struct parcel *parcel =
		world_alloc(stream->net->world, sizeof(*parcel));

	*parcel = (struct parcel){ .stream = stream,
				   .to = to,
				   .message = message };
	return parcel;
}

/*
 * On a stream of its own, to whoever is there: the message alone, or with the
 * prepare that it belongs to.
 */
static void on_replay(void *arg)
{
	struct parcel *parcel = arg;
	struct net *net = parcel->stream->net;
	struct world *world = net->world;
	struct stream *stream;
	int64_t after_ns = 0;

	if (net->worker == NULL) {
		return;
	}
	stream = stream_new(net, parcel->stream->txn,
			    random_in(&world->random, 0, 3 * MS_NS));
	open_on_worker(stream);
	world_trace(world, "network", "replays", stream->txn,
		    message_name(parcel->message));
	if (parcel->message != MESSAGE_PREPARE &&
	    random_percent(&world->random, 50)) {
		hand_over(pack(stream, SIDE_WORKER, MESSAGE_PREPARE));
		after_ns = random_in(&world->random, 0, 8 * MS_NS);
	}
	world_after(world, after_ns, stream->ends[SIDE_WORKER], on_parcel,
		    pack(stream, SIDE_WORKER, parcel->message));
	tell_lost(stream, SIDE_WORKER,
		  at_the_latest_ns(net, world->now_ns + notice_ns(net)) -
			  world->now_ns);
}

static void maybe_replay(struct stream *stream, enum message message)
{
	struct net *net = stream->net;
	struct world *world = net->world;
	int64_t left_ns = world->heal_ns - world->now_ns;
	int64_t within_ns;

	if (!world_chance(world, net->replay_permille)) {
		return;
	}
	within_ns = random_percent(&world->random, 50) ? left_ns : left_ns / 16;
	world->tally->replays++;
	world_after(world, random_in(&world->random, 0, within_ns), NULL,
		    on_replay, pack(stream, SIDE_WORKER, message));
}

void net_send(struct stream *stream, enum side from, enum message message)
{
	enum side to = other(from);
	struct net *net = stream->net;
	struct world *world = net->world;
	struct process *process = stream->ends[to];
	int64_t at_ns = leaves_ns(world, echo_of(stream)) + delay_ns(net);

	if (stream->closed[from] || process == NULL) {
		return;
	}
	world_trace(world, name_of(stream->ends[from]), "sends", stream->txn,
		    message_name(message));
	if (world_chance(world, net->break_permille)) {
		break_stream(stream);
	}
	if (at_ns < stream->arrived_ns[to]) {
		at_ns = stream->arrived_ns[to];
	}
	stream->arrived_ns[to] = at_ns;
	world_after(world, at_ns - world->now_ns, process, on_parcel,
		    pack(stream, to, message));
	if (world_chance(world, net->duplicate_permille)) {
		world->tally->duplicates++;
		world_after(world, at_ns - world->now_ns + notice_ns(net),
			    process, on_parcel, pack(stream, to, message));
	}
	if (to == SIDE_WORKER) {
		maybe_replay(stream, message);
	}
}

/* ---- calls -------------------------------------------------------------- */

static void on_outcome(void *arg)
{
	struct call *call = arg;

	if (!call->over) {
		call->over = true;
		echo_on_call(call->echo, call);
	}
}

static void on_timeout(void *arg)
{
	struct call *call = arg;

	if (!call->over) {
		call->over = true;
		call->failed = true;
		echo_on_call(call->echo, call);
	}
}

static void on_refused(void *arg)
{
	on_timeout(arg);
}

static void on_served(void *arg)
{
	struct call *call = arg;

	worker_on_call(call->worker, call);
}

/* At the worker's end of the wire. */
static void on_call(void *arg)
{
	struct call *call = arg;
	struct net *net = call->net;

	if (net->worker != NULL) {
		call->worker = net->worker;
		world_after(net->world, 0, &net->worker->process, on_served,
			    call);
		return;
	}
	world_after(net->world, delay_ns(net), &call->echo->process, on_refused,
		    call);
}

/* A second one of the same, whose answer nobody hears. */
static struct call *copy_of(const struct call *call)
{
	struct call *copy = world_alloc(call->net->world, sizeof(*copy));

	*copy = *call;
	copy->over = true;
	copy->verdicts = NULL;
	return copy;
}

static bool is_lost(struct net *net)
{
	return world_chance(net->world, net->lose_permille);
}

void net_call(struct call *call)
{
	struct net *net = call->net;
	struct world *world = net->world;
	struct process *echo = &call->echo->process;
	int64_t wait_ns = leaves_ns(world, call->echo) - world->now_ns;

	world_after(world, TWOPC_CALL_TIMEOUT_NS, echo, on_timeout, call);
	if (!is_lost(net)) {
		world_after(world, wait_ns + delay_ns(net), NULL, on_call,
			    call);
	}
	if (world_chance(world, net->duplicate_permille)) {
		world->tally->duplicates++;
		world_after(world, wait_ns + notice_ns(net), NULL, on_call,
			    copy_of(call));
	}
}

void net_answer(struct call *call)
{
	struct net *net = call->net;
	struct world *world = net->world;

	if (!is_lost(net)) {
		world_after(world,
			    leaves_ns(world, call->echo) - world->now_ns +
				    delay_ns(net),
			    &call->echo->process, on_outcome, call);
	}
}

void net_cut_off(struct echo *echo, int64_t until_ns)
{
	struct world *world = echo->process.world;

	world->tally->partitions++;
	world_trace(world, echo->process.name, "is cut off", NULL, "");
	echo->cut_off_until_ns = until_ns;
	for (struct stream *stream = echo->streams; stream != NULL;
	     stream = stream->next[SIDE_ECHO]) {
		if (random_percent(&world->random, 50)) {
			break_stream(stream);
		}
	}
}
