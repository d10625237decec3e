#include "echo/grpc_worker.h"

#include "failpoint/failpoint.h"
#include "log/log.h"
#include "worker.pb-c.h"

/* One that is away is looked for more often, so that what waits for it does not
 * wait for a back-off as well. */
enum {
	KEEP_EVERY_NS = 200 * NS_PER_MS,
	LOOK_EVERY_NS = 50 * NS_PER_MS,
};

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	const Worker__WorkResponse *work = (const void *)response;
	struct worker_call *call = arg;
	struct status refused;

	(void)trailing;
	FAILPOINT("echo.reply");
	if (status->code == STATUS_OK && !work->success) {
		status_set(&refused, STATUS_ABORTED, "the worker declined: %s",
			   work->message);
		status = &refused;
	}
	call->done(call, status,
		   status->code == STATUS_OK ? work->message : "");
}

static void do_work(struct worker_port *port, struct ctx *ctx,
		    const char *task_id, const char *data,
		    struct worker_call *call)
{
	struct grpc_worker *worker = (struct grpc_worker *)port;
	Worker__WorkRequest request;

	worker__work_request__init(&request);
	/* protobuf-c's strings are not const, though packing only reads. */
	request.task_id = (char *)(uintptr_t)task_id;
	request.data = (char *)(uintptr_t)data;
	FAILPOINT("echo.call.before");
	rpc_unary(worker->channel, ctx, &worker__worker_service__descriptor,
		  "DoWork", &request.base, NULL, on_done, call);
	FAILPOINT("echo.call.after");
}

static bool is_ready(struct worker_port *port)
{
	struct grpc_worker *worker = (struct grpc_worker *)port;

	return rpc_channel_is_ready(worker->channel, true);
}

void grpc_worker_init(struct grpc_worker *worker, struct rpc_channel *channel)
{
	static const struct worker_port_ops ops = {
		.do_work = do_work,
		.prepare = grpc_exchange_prepare,
		.commit = grpc_exchange_commit,
		.rollback = grpc_exchange_rollback,
		.is_ready = is_ready,
	};

	*worker = (struct grpc_worker){ .port = { .ops = &ops },
					.peer = { .ops = &grpc_peer_ops },
					.channel = channel };
}

static void tell_connected(struct grpc_worker *worker)
{
	log_info(NULL, NULL, "%s",
		 worker->connected ? "Connected to the worker"
				   : "The connection to the worker is lost");
	if (worker->connected && worker->reached != NULL) {
		worker->reached(worker->reached_arg);
	}
}

static void keep(struct loop_timer *timer, int64_t late_ns)
{
	struct grpc_worker *worker = GRPC_WORKER_OF(keep, timer);
	bool connected = is_ready(&worker->port);

	(void)late_ns;
	if (connected != worker->connected) {
		worker->connected = connected;
		tell_connected(worker);
	}
	if (!connected) {
		rpc_channel_hurry(worker->channel);
	}
	loop_timer_start(worker->loop, timer,
			 clock_now_ns() +
				 (connected ? KEEP_EVERY_NS : LOOK_EVERY_NS));
}

void grpc_worker_keep_connected(struct grpc_worker *worker, struct loop *loop,
				void (*reached)(void *arg), void *arg)
{
	worker->loop = loop;
	worker->reached = reached;
	worker->reached_arg = arg;
	worker->keep.fn = keep;
	keep(&worker->keep, 0);
}

void grpc_worker_release(struct grpc_worker *worker)
{
	if (worker->loop != NULL) {
		(void)loop_timer_stop(worker->loop, &worker->keep);
	}
}
