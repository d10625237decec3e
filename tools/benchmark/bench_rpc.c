/*
 * Unary calls as they are: a server that answers from memory, and a client that
 * keeps a number of calls outstanding on one channel.
 *
 *	bench_rpc -mode server -port 0
 * prints port=N and serves worker.WorkerService/DoWork until it is killed.
 *
 *	bench_rpc -mode client -target 127.0.0.1:N -outstanding 64 -seconds 3
 * prints name=bare_call outstanding=64 per_s=... p50_us=... p99_us=...
 *
 * -call create or get asks a stockorder.StockOrderService instead (get: for
 *-id): name=create_order ..., name=get_order ...
 *
 * -from poller (the default) makes the next call where the last one ended;
 * -from loop makes it on the loop's thread, as a front-end does. -reply thread
 * answers from a thread of its own, in bursts, as a database's does. -cancel 1
 * measures, instead, how long it takes from the end of a call's ctx here to the
 * end of its ctx in the server (one machine, one clock): name=cancel p50_us=...
 * p99_us=...
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctx/ctx.h"
#include "loop/loop.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "stock_order.pb-c.h"
#include "worker.pb-c.h"
#include "worker_schema.h"

enum { OUTSTANDING_MAX = 4096, SAMPLES_MAX = 4 << 20, DEADLINE_S = 10 };

struct flags {
	const char *mode;
	const char *target;
	const char *from;
	const char *reply;
	const char *call;
	const char *id;
	long port;
	long outstanding;
	long seconds;
	long cancel;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench_rpc: %s\n", what);
	exit(1);
}

static void parse(struct flags *flags, int argc, char **argv)
{
	*flags = (struct flags){ "client", "127.0.0.1:50051",
				 "poller", "handler",
				 "work",   "",
				 0,	   64,
				 3,	   0 };
	for (int i = 1; i + 1 < argc; i += 2) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], "-mode") == 0) {
			flags->mode = value;
		} else if (strcmp(argv[i], "-target") == 0) {
			flags->target = value;
		} else if (strcmp(argv[i], "-from") == 0) {
			flags->from = value;
		} else if (strcmp(argv[i], "-reply") == 0) {
			flags->reply = value;
		} else if (strcmp(argv[i], "-call") == 0) {
			flags->call = value;
		} else if (strcmp(argv[i], "-id") == 0) {
			flags->id = value;
		} else if (strcmp(argv[i], "-port") == 0) {
			flags->port = atol(value);
		} else if (strcmp(argv[i], "-outstanding") == 0) {
			flags->outstanding = atol(value);
		} else if (strcmp(argv[i], "-seconds") == 0) {
			flags->seconds = atol(value);
		} else if (strcmp(argv[i], "-cancel") == 0) {
			flags->cancel = atol(value);
		} else {
			die(argv[i]);
		}
	}
	if (flags->outstanding < 1 || flags->outstanding > OUTSTANDING_MAX) {
		die("-outstanding is out of range");
	}
}

/* ---- server ------------------------------------------------------------- */

struct server {
	bool from_thread;
	pthread_mutex_t mutex;
	pthread_cond_t more;
	struct rpc_call *queue[OUTSTANDING_MAX];
	size_t queued;
	atomic_int_fast64_t ended_ns; /* when the last ctx ended */
};

static void answer(struct rpc_call *call)
{
	Worker__WorkResponse response = WORKER__WORK_RESPONSE__INIT;

	response.success = 1;
	response.message = (char *)(uintptr_t) "Work completed for task t";
	rpc_call_reply(call, &response.base);
}

static void *answer_bursts(void *arg)
{
	struct server *server = arg;
	struct rpc_call *burst[OUTSTANDING_MAX];

	for (;;) {
		size_t n;

		pthread_mutex_lock(&server->mutex);
		while (server->queued == 0) {
			pthread_cond_wait(&server->more, &server->mutex);
		}
		n = server->queued;
		memcpy(burst, server->queue, n * sizeof(burst[0]));
		server->queued = 0;
		pthread_mutex_unlock(&server->mutex);
		for (size_t i = 0; i < n; i++) {
			answer(burst[i]);
		}
	}
	return NULL;
}

static void hand_over(struct server *server, struct rpc_call *call)
{
	pthread_mutex_lock(&server->mutex);
	server->queue[server->queued++] = call;
	pthread_cond_signal(&server->more);
	pthread_mutex_unlock(&server->mutex);
}

struct waiting {
	struct server *server;
	struct rpc_call *call;
	struct ctx_hook hook;
};

static void on_cancelled(struct ctx_hook *hook, struct ctx *ctx)
{
	struct waiting *waiting =
		(struct waiting *)((char *)hook -
				   offsetof(struct waiting, hook));
	struct status st = status_make(STATUS_CANCELLED, "cancelled");

	(void)ctx;
	atomic_store(&waiting->server->ended_ns, clock_now_ns());
	rpc_call_finish(waiting->call, &st, NULL, 0);
	free(waiting);
}

static void wait_for_cancel(struct server *server, struct rpc_call *call)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL) {
		die("out of memory");
	}
	waiting->server = server;
	waiting->call = call;
	waiting->hook.fn = on_cancelled;
	if (!ctx_hook_add(rpc_call_ctx(call), &waiting->hook)) {
		on_cancelled(&waiting->hook, rpc_call_ctx(call));
	}
}

/* "when": say when the last call was cancelled. */
static void answer_when(struct server *server, struct rpc_call *call)
{
	Worker__WorkResponse response = WORKER__WORK_RESPONSE__INIT;
	char text[32];

	snprintf(text, sizeof(text), "%lld",
		 (long long)atomic_load(&server->ended_ns));
	response.message = text;
	rpc_call_reply(call, &response.base);
}

static void do_work(struct rpc_call *call, const ProtobufCMessage *message,
		    void *self)
{
	const Worker__WorkRequest *request = (const void *)message;
	struct server *server = self;

	if (strcmp(request->task_id, "wait") == 0) {
		wait_for_cancel(server, call);
	} else if (strcmp(request->task_id, "when") == 0) {
		answer_when(server, call);
	} else if (server->from_thread) {
		hand_over(server, call);
	} else {
		answer(call);
	}
}

static const struct rpc_method methods[] = {
	{ "DoWork", .unary = do_work },
	{ NULL },
};

static void serve(const struct flags *flags, struct loop *loop,
		  struct ctx *root, struct rpc_poller *poller)
{
	static struct server self;
	struct rpc_server_options options;
	struct rpc_server *server;
	struct status st;
	pthread_t thread;

	pthread_mutex_init(&self.mutex, NULL);
	pthread_cond_init(&self.more, NULL);
	self.from_thread = strcmp(flags->reply, "thread") == 0;
	if (self.from_thread &&
	    pthread_create(&thread, NULL, answer_bursts, &self) != 0) {
		die("no thread");
	}
	rpc_server_options_init(&options);
	options.port = (uint16_t)flags->port;
	if (rpc_server_new(root, poller, &options, &server, &st) != STATUS_OK ||
	    rpc_server_add_service(server, &worker__worker_service__descriptor,
				   &worker_schema, methods, &self,
				   &st) != STATUS_OK ||
	    rpc_server_start(server, &st) != STATUS_OK) {
		die(st.message);
	}
	printf("port=%u\n", rpc_server_port(server));
	fflush(stdout);
	loop_run(loop);
}

/* ---- client ------------------------------------------------------------- */

/* What is called, with which message, and how that is told. */
struct target {
	const char *name;
	const ProtobufCServiceDescriptor *service;
	const char *method;
	const ProtobufCMessage *request;
};

struct client {
	const struct target *target;
	struct rpc_channel *channel;
	struct ctx *root;
	struct loop *loop;
	bool from_loop;
	int64_t until_ns;
	size_t open; /* slots that go on; the poller's */
	size_t failed;
	uint32_t *samples;
	size_t sample_nr;
	struct loop_task stop;
};

struct slot {
	struct client *client;
	struct ctx *ctx;
	int64_t began_ns;
	struct loop_task task;
};

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg);

static void call(struct slot *slot)
{
	struct client *client = slot->client;
	const struct target *target = client->target;

	slot->began_ns = clock_now_ns();
	slot->ctx = ctx_new(client->root,
			    slot->began_ns + DEADLINE_S * (int64_t)NS_PER_S);
	rpc_unary(client->channel, slot->ctx, target->service, target->method,
		  target->request, NULL, on_done, slot);
}

static void on_task(struct loop_task *task)
{
	call((struct slot *)((char *)task - offsetof(struct slot, task)));
}

static void on_stop(struct loop_task *task)
{
	struct client *client =
		(struct client *)((char *)task - offsetof(struct client, stop));

	loop_stop(client->loop);
}

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	struct slot *slot = arg;
	struct client *client = slot->client;
	int64_t now_ns = clock_now_ns();

	(void)response;
	(void)trailing;
	ctx_unref(slot->ctx);
	client->failed += status->code != STATUS_OK;
	if (client->sample_nr < SAMPLES_MAX) {
		client->samples[client->sample_nr++] =
			(uint32_t)((now_ns - slot->began_ns) / NS_PER_US);
	}
	if (now_ns >= client->until_ns) {
		if (--client->open == 0) {
			loop_post(client->loop, &client->stop);
		}
	} else if (client->from_loop) {
		loop_post(client->loop, &slot->task);
	} else {
		call(slot);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(const char *name, uint32_t *samples, size_t n)
{
	if (n == 0) {
		die("nothing was measured");
	}
	qsort(samples, n, sizeof(*samples), compare);
	printf("%s p50_us=%u p99_us=%u\n", name, samples[n / 2],
	       samples[n * 99 / 100]);
}

/* A first call connects; the measurement begins after it. */
static void warm_up(struct client *client)
{
	struct slot slot = { .client = client, .task = { .fn = on_task } };

	client->open = 1;
	call(&slot);
	loop_run(client->loop);
	if (client->failed > 0) {
		die("the server does not answer");
	}
	client->sample_nr = 0;
}

static void run_client(const struct flags *flags, struct client *client)
{
	size_t n = (size_t)flags->outstanding;
	struct slot *slots = calloc(n, sizeof(*slots));
	char name[128];
	int64_t began_ns;

	if (slots == NULL) {
		die("out of memory");
	}
	warm_up(client);
	began_ns = clock_now_ns();
	client->until_ns = began_ns + flags->seconds * (int64_t)NS_PER_S;
	client->open = n;
	client->from_loop = strcmp(flags->from, "loop") == 0;
	for (size_t i = 0; i < n; i++) {
		slots[i].client = client;
		slots[i].task.fn = on_task;
		loop_post(client->loop, &slots[i].task);
	}
	loop_run(client->loop);
	snprintf(name, sizeof(name),
		 "name=%s outstanding=%zu per_s=%.0f failed=%zu",
		 client->target->name, n,
		 (double)client->sample_nr * 1e9 /
			 (double)(clock_now_ns() - began_ns),
		 client->failed);
	report(name, client->samples, client->sample_nr);
	free(slots);
}

/* ---- cancellation ------------------------------------------------------- */

struct exchange {
	struct client *client;
	int64_t when_ns;
	struct loop_timer timer;
	struct loop_task task;
};

static void on_exchanged(const struct status *status,
			 const ProtobufCMessage *response,
			 const struct rpc_metadata *trailing, void *arg)
{
	struct exchange *exchange = arg;
	const Worker__WorkResponse *work = (const void *)response;

	(void)status;
	(void)trailing;
	exchange->when_ns = work != NULL ? atoll(work->message) : 0;
	loop_post(exchange->client->loop, &exchange->client->stop);
}

static void ask(struct exchange *exchange, struct ctx *ctx, const char *task)
{
	Worker__WorkRequest request = WORKER__WORK_REQUEST__INIT;

	request.task_id = (char *)(uintptr_t)task;
	rpc_unary(exchange->client->channel, ctx,
		  &worker__worker_service__descriptor, "DoWork", &request.base,
		  NULL, on_exchanged, exchange);
}

static void on_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct exchange *exchange =
		(struct exchange *)((char *)timer -
				    offsetof(struct exchange, timer));

	(void)late_ns;
	loop_stop(exchange->client->loop);
}

/* Let the call arrive, or the server take note. */
static void pause_ms(struct exchange *exchange, int64_t ms)
{
	loop_timer_start(exchange->client->loop, &exchange->timer,
			 clock_now_ns() + ms * NS_PER_MS);
	loop_run(exchange->client->loop);
}

static void cancel_once(struct exchange *exchange)
{
	struct client *client = exchange->client;
	struct ctx *ctx = ctx_new(client->root, CLOCK_NEVER);
	int64_t began_ns;

	ask(exchange, ctx, "wait");
	pause_ms(exchange, 5);
	began_ns = clock_now_ns();
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	loop_run(client->loop);
	ctx_unref(ctx);
	pause_ms(exchange, 5);
	ask(exchange, client->root, "when");
	loop_run(client->loop);
	client->samples[client->sample_nr++] =
		(uint32_t)((exchange->when_ns - began_ns) / NS_PER_US);
}

static void run_cancels(struct client *client, long n)
{
	struct exchange exchange = { .client = client,
				     .timer = { .fn = on_timer } };

	warm_up(client);
	for (long i = 0; i < n; i++) {
		cancel_once(&exchange);
	}
	report("name=cancel", client->samples, client->sample_nr);
}

static struct target find_target(const struct flags *flags)
{
	static Worker__WorkRequest work = WORKER__WORK_REQUEST__INIT;
	static Stockorder__CreateOrderRequest create =
		STOCKORDER__CREATE_ORDER_REQUEST__INIT;
	static Stockorder__GetOrderRequest get =
		STOCKORDER__GET_ORDER_REQUEST__INIT;

	work.task_id = (char *)(uintptr_t) "t";
	work.data = (char *)(uintptr_t) "0123456789012345678901234567890123";
	create.symbol = (char *)(uintptr_t) "AAPL";
	create.order_type = STOCKORDER__ORDER_TYPE__MARKET;
	create.order_side = STOCKORDER__ORDER_SIDE__BUY;
	create.quantity = 100;
	get.order_id = (char *)(uintptr_t)flags->id;
	if (strcmp(flags->call, "create") == 0) {
		return (struct target){
			"create_order",
			&stockorder__stock_order_service__descriptor,
			"CreateOrder", &create.base
		};
	}
	if (strcmp(flags->call, "get") == 0) {
		return (struct target){
			"get_order",
			&stockorder__stock_order_service__descriptor,
			"GetOrder", &get.base
		};
	}
	return (struct target){ "bare_call",
				&worker__worker_service__descriptor, "DoWork",
				&work.base };
}

static void measure(const struct flags *flags, struct loop *loop,
		    struct ctx *root, struct rpc_poller *poller)
{
	struct target target = find_target(flags);
	struct client client = { .target = &target,
				 .root = root,
				 .loop = loop };
	struct rpc_channel_options options;
	struct status st;

	rpc_channel_options_init(&options);
	options.target = flags->target;
	client.stop.fn = on_stop;
	client.samples = malloc(SAMPLES_MAX * sizeof(*client.samples));
	if (client.samples == NULL) {
		die("out of memory");
	}
	if (rpc_channel_new(poller, &options, &client.channel, &st) !=
	    STATUS_OK) {
		die(st.message);
	}
	if (flags->cancel > 0) {
		run_cancels(&client, flags->cancel);
	} else {
		run_client(flags, &client);
	}
	rpc_channel_free(client.channel);
	free(client.samples);
}

int main(int argc, char **argv)
{
	struct flags flags;
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct status st;

	parse(&flags, argc, argv);
	if (loop_new(&loop, &st) != STATUS_OK ||
	    ctx_root(loop, &root, &st) != STATUS_OK ||
	    rpc_poller_new(&poller, &st) != STATUS_OK) {
		die(st.message);
	}
	if (strcmp(flags.mode, "server") == 0) {
		serve(&flags, loop, root, poller);
	} else {
		measure(&flags, loop, root, poller);
	}
	rpc_poller_free(poller);
	ctx_unref(root);
	loop_free(loop);
	return 0;
}
