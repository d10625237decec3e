#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- signals ------------------------------------------------------------ */

void signal_init(struct signal *signal)
{
	pthread_mutex_init(&signal->mutex, NULL);
	pthread_cond_init(&signal->changed, NULL);
	signal->count = 0;
}

void signal_raise(struct signal *signal)
{
	pthread_mutex_lock(&signal->mutex);
	signal->count++;
	pthread_cond_broadcast(&signal->changed);
	pthread_mutex_unlock(&signal->mutex);
}

bool signal_await_ms(struct signal *signal, unsigned count, int64_t ms)
{
	int64_t at_ns = clock_now_ns() + ms * NS_PER_MS;
	struct timespec until = { at_ns / NS_PER_S, at_ns % NS_PER_S };
	bool enough;

	pthread_mutex_lock(&signal->mutex);
	while (signal->count < count &&
	       pthread_cond_clockwait(&signal->changed, &signal->mutex,
				      CLOCK_MONOTONIC, &until) == 0) {
	}
	enough = signal->count >= count;
	pthread_mutex_unlock(&signal->mutex);
	return enough;
}

void signal_await(struct signal *signal, unsigned count)
{
	ck_assert_msg(signal_await_ms(signal, count, PATIENCE_S * 1000),
		      "nothing happened for %d s", PATIENCE_S);
}

/* ---- the handlers ------------------------------------------------------- */

static void echo(struct rpc_call *call, const ProtobufCMessage *request,
		 void *self)
{
	(void)self;
	rpc_call_reply(call, request);
}

static void packed(struct rpc_call *call, const ProtobufCMessage *request,
		   void *self)
{
	const Tester__Text *text = (const void *)request;
	void *bytes = NULL;

	(void)self;
	if (text->blob.len > 0) {
		bytes = malloc(text->blob.len);
		ck_assert_ptr_nonnull(bytes);
		memcpy(bytes, text->blob.data, text->blob.len);
	}
	rpc_call_reply_packed(call, bytes, text->blob.len);
}

static void fail_as_asked(struct rpc_call *call,
			  const ProtobufCMessage *message, void *self)
{
	const Tester__Text *request = (const void *)message;
	struct status st;

	(void)self;
	st = status_make((enum status_code)request->number, "%s",
			 request->text);
	rpc_call_finish(call, &st, request->blob.data, request->blob.len);
}

/* The text names the key; it is answered in the body, ahead and behind. */
static void metadata(struct rpc_call *call, const ProtobufCMessage *message,
		     void *self)
{
	const Tester__Text *request = (const void *)message;
	Tester__Text response = TESTER__TEXT__INIT;
	struct seen *seen = self;
	struct ctx *ctx = rpc_call_ctx(call);
	size_t size = 0;
	const char *value = rpc_call_metadata(call, request->text, &size);

	pthread_mutex_lock(&seen->mutex);
	snprintf(seen->request_id, sizeof(seen->request_id), "%s",
		 ctx_request_id(ctx));
	seen->trace = *ctx_trace(ctx);
	snprintf(seen->method, sizeof(seen->method), "%s",
		 rpc_call_method(call));
	pthread_mutex_unlock(&seen->mutex);
	if (value != NULL) {
		response.blob.data = (uint8_t *)(uintptr_t)value;
		response.blob.len = size;
		rpc_call_set_initial_metadata(call, request->text, value, size);
		rpc_call_set_trailing_metadata(call, request->text, value,
					       size);
	}
	rpc_call_reply(call, &response.base);
}

struct waiter {
	struct seen *seen;
	struct rpc_call *call;
	struct ctx_hook hook;
};

static bool take_waiting(struct seen *seen, const struct rpc_call *call)
{
	for (size_t i = 0; i < seen->waiting_nr; i++) {
		if (seen->waiting[i] == call) {
			seen->waiting[i] = seen->waiting[--seen->waiting_nr];
			return true;
		}
	}
	return false;
}

/* Also when the call was answered: then nothing is left to do. */
static void on_ctx_end(struct ctx_hook *hook, struct ctx *ctx)
{
	struct waiter *waiter =
		(struct waiter *)((char *)hook - offsetof(struct waiter, hook));
	struct seen *seen = waiter->seen;
	struct status st;
	enum ctx_cause cause = ctx_cause(ctx, &st);
	bool waits;

	pthread_mutex_lock(&seen->mutex);
	waits = take_waiting(seen, waiter->call);
	if (waits) {
		seen->cause = cause;
	}
	pthread_mutex_unlock(&seen->mutex);
	if (waits) {
		rpc_call_finish(waiter->call, &st, NULL, 0);
		signal_raise(&seen->ended);
	}
	free(waiter);
}

static void wait_for_test(struct rpc_call *call,
			  const ProtobufCMessage *request, void *self)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));
	struct seen *seen = self;

	(void)request;
	ck_assert_ptr_nonnull(waiter);
	waiter->seen = seen;
	waiter->call = call;
	waiter->hook.fn = on_ctx_end;
	pthread_mutex_lock(&seen->mutex);
	ck_assert_uint_lt(seen->waiting_nr, WAITING_MAX);
	seen->waiting[seen->waiting_nr++] = call;
	pthread_mutex_unlock(&seen->mutex);
	if (!ctx_hook_add(rpc_call_ctx(call), &waiter->hook)) {
		on_ctx_end(&waiter->hook, rpc_call_ctx(call));
	}
	signal_raise(&seen->arrived);
}

void fixture_release(struct fixture *f)
{
	struct seen *seen = &f->seen;
	Tester__Text response = TESTER__TEXT__INIT;
	struct rpc_call *calls[WAITING_MAX];
	size_t n;

	pthread_mutex_lock(&seen->mutex);
	n = seen->waiting_nr;
	memcpy(calls, seen->waiting, sizeof(calls));
	seen->waiting_nr = 0;
	pthread_mutex_unlock(&seen->mutex);
	response.text = (char *)(uintptr_t) "released";
	for (size_t i = 0; i < n; i++) {
		rpc_call_reply(calls[i], &response.base);
	}
}

/* ---- its streams -------------------------------------------------------- */

struct repeat {
	char *text;
	int left;
};

static void finish_ok(struct rpc_call *call)
{
	struct status st = status_ok();

	rpc_call_finish(call, &st, NULL, 0);
}

/* The last message is still on its way when the call is finished. */
static void repeat_next(struct rpc_call *call, bool ok, void *arg)
{
	Tester__Text message = TESTER__TEXT__INIT;
	struct repeat *repeat = arg;

	if (ok && repeat->left > 0) {
		repeat->left--;
		message.text = repeat->text;
		rpc_call_send(call, &message.base, repeat_next, repeat);
		if (repeat->left > 0) {
			return;
		}
	}
	free(repeat->text);
	free(repeat);
	finish_ok(call);
}

/* The same from a thread that knows nothing of gRPC's. */
struct threaded {
	struct rpc_call *call;
	int left;
	struct signal sent;
};

static void threaded_sent(struct rpc_call *call, bool ok, void *arg)
{
	struct threaded *threaded = arg;

	(void)call;
	(void)ok;
	signal_raise(&threaded->sent);
}

/* The last one ends the call, while the one before is on its way. */
static void *repeat_on_thread(void *arg)
{
	Tester__Text message = TESTER__TEXT__INIT;
	struct threaded *threaded = arg;
	char text[] = "t";

	message.text = text;
	for (unsigned i = 1; --threaded->left > 0; i++) {
		rpc_call_send(threaded->call, &message.base, threaded_sent,
			      threaded);
		if (threaded->left > 1) {
			signal_await(&threaded->sent, i);
		}
	}
	rpc_call_reply(threaded->call, &message.base);
	return NULL;
}

static void repeat_elsewhere(struct rpc_call *call, int n)
{
	struct threaded *threaded = calloc(1, sizeof(*threaded));
	pthread_t thread;

	ck_assert_ptr_nonnull(threaded);
	threaded->call = call;
	threaded->left = n;
	signal_init(&threaded->sent);
	rpc_call_on_gone(call, free, threaded);
	ck_assert_int_eq(
		pthread_create(&thread, NULL, repeat_on_thread, threaded), 0);
	pthread_detach(thread);
}

static void repeat_asked(struct rpc_call *call, const ProtobufCMessage *message,
			 const struct status *end, void *arg)
{
	const Tester__Text *request = (const void *)message;
	struct repeat *repeat;

	(void)arg;
	if (request == NULL) {
		rpc_call_finish(call, end, NULL, 0);
		return;
	}
	if (request->number < 0) {
		repeat_elsewhere(call, -request->number);
		return;
	}
	repeat = calloc(1, sizeof(*repeat));
	ck_assert_ptr_nonnull(repeat);
	repeat->text = strdup(request->text);
	repeat->left = request->number;
	repeat_next(call, true, repeat);
}

static void repeat(struct rpc_call *call, void *self)
{
	(void)self;
	rpc_call_receive(call, repeat_asked, NULL);
}

static void join_more(struct rpc_call *call, const ProtobufCMessage *message,
		      const struct status *end, void *arg)
{
	const Tester__Text *request = (const void *)message;
	Tester__Text response = TESTER__TEXT__INIT;
	char *text = arg;
	size_t size = strlen(text);

	if (request != NULL) {
		text = realloc(text, size + strlen(request->text) + 1);
		ck_assert_ptr_nonnull(text);
		strcpy(text + size, request->text);
		rpc_call_receive(call, join_more, text);
		return;
	}
	if (end->code == STATUS_OK) {
		response.text = text;
		rpc_call_reply(call, &response.base);
	} else {
		rpc_call_finish(call, end, NULL, 0);
	}
	free(text);
}

static void join(struct rpc_call *call, void *self)
{
	(void)self;
	rpc_call_receive(call, join_more, calloc(1, 1));
}

static void chat_more(struct rpc_call *call, const ProtobufCMessage *message,
		      const struct status *end, void *arg);

static void chat_sent(struct rpc_call *call, bool ok, void *arg)
{
	(void)ok; /* The receive tells. */
	rpc_call_receive(call, chat_more, arg);
}

static void chat_more(struct rpc_call *call, const ProtobufCMessage *message,
		      const struct status *end, void *arg)
{
	if (message != NULL) {
		rpc_call_send(call, message, chat_sent, arg);
	} else {
		rpc_call_finish(call, end, NULL, 0);
	}
}

static void chat(struct rpc_call *call, void *self)
{
	rpc_call_receive(call, chat_more, self);
}

static void listened(struct rpc_call *call, const ProtobufCMessage *message,
		     const struct status *end, void *arg)
{
	struct seen *seen = arg;
	bool again;

	if (message != NULL) {
		rpc_call_receive(call, listened, seen);
		return;
	}
	pthread_mutex_lock(&seen->mutex);
	seen->end = *end;
	seen->cause = ctx_cause(rpc_call_ctx(call), NULL);
	seen->ends += seen->cause != CTX_NONE;
	again = seen->ends == 1;
	pthread_mutex_unlock(&seen->mutex);
	if (again) {
		/* To ask once more is in vain, but is answered. */
		rpc_call_receive(call, listened, seen);
		return;
	}
	signal_raise(&seen->ended);
	pthread_mutex_lock(&seen->mutex);
	again = take_waiting(seen, call);
	pthread_mutex_unlock(&seen->mutex);
	if (again) {
		rpc_call_finish(call, end, NULL, 0);
	}
}

static void on_gone(void *arg)
{
	struct seen *seen = arg;

	signal_raise(&seen->gone);
}

static void listen_only(struct rpc_call *call, void *self)
{
	struct seen *seen = self;

	pthread_mutex_lock(&seen->mutex);
	ck_assert_uint_lt(seen->waiting_nr, WAITING_MAX);
	seen->waiting[seen->waiting_nr++] = call;
	pthread_mutex_unlock(&seen->mutex);
	rpc_call_on_gone(call, on_gone, seen);
	rpc_call_receive(call, listened, seen);
	signal_raise(&seen->arrived);
}

static const struct rpc_method methods[] = {
	{ "Echo", .unary = echo },
	{ "Always", .unary = echo, .always = true },
	{ "Packed", .unary = packed },
	{ "Wait", .unary = wait_for_test },
	{ "Fail", .unary = fail_as_asked },
	{ "Metadata", .unary = metadata },
	{ "Repeat", .stream = repeat },
	{ "Join", .stream = join },
	{ "Chat", .stream = chat },
	{ "Listen", .stream = listen_only },
	{ NULL },
};

static void on_end(const char *method, const struct status *status,
		   enum ctx_cause cause, int64_t duration_ns, void *arg)
{
	struct seen *seen = arg;

	pthread_mutex_lock(&seen->mutex);
	snprintf(seen->method, sizeof(seen->method), "%s", method);
	seen->status = *status;
	seen->end_cause = cause;
	seen->duration_ns = duration_ns;
	pthread_mutex_unlock(&seen->mutex);
	signal_raise(&seen->over);
}

/* ---- the fixture -------------------------------------------------------- */

static void must(enum status_code code, const struct status *st)
{
	ck_assert_msg(code == STATUS_OK, "%s", st->message);
}

static void seen_init(struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	pthread_mutex_init(&seen->mutex, NULL);
	signal_init(&seen->arrived);
	signal_init(&seen->ended);
	signal_init(&seen->over);
	signal_init(&seen->gone);
}

void fixture_init(struct fixture *f)
{
	struct status st;

	memset(f, 0, sizeof(*f));
	loop_block_signals();
	must(loop_new(&f->loop, &st), &st);
	must(ctx_root(f->loop, &f->root, &st), &st);
	must(rpc_poller_new(&f->poller, &st), &st);
	must(loop_start_thread(f->loop, &st), &st);
	seen_init(&f->seen);
	signal_init(&f->drained);
	rpc_server_options_init(&f->server_options);
	f->server_options.on_end = on_end;
	f->server_options.on_end_arg = &f->seen;
	rpc_channel_options_init(&f->channel_options);
}

static void start_server(struct fixture *f)
{
	struct status st;

	must(rpc_server_new(f->root, f->poller, &f->server_options, &f->server,
			    &st),
	     &st);
	must(rpc_server_add_service(f->server, &tester__tester__descriptor,
				    &tester_schema, methods, &f->seen, &st),
	     &st);
	must(rpc_server_start(f->server, &st), &st);
}

void fixture_start_server(struct fixture *f)
{
	fixture_on_loop(f, start_server);
	snprintf(f->target, sizeof(f->target), "127.0.0.1:%u",
		 rpc_server_port(f->server));
}

void fixture_start_client(struct fixture *f)
{
	struct status st;

	if (f->channel_options.target == NULL) {
		f->channel_options.target = f->target;
	}
	must(rpc_channel_new(f->poller, &f->channel_options, &f->channel, &st),
	     &st);
}

void fixture_start(struct fixture *f)
{
	fixture_init(f);
	fixture_start_server(f);
	fixture_start_client(f);
}

void fixture_stop_client(struct fixture *f)
{
	rpc_channel_free(f->channel);
	f->channel = NULL;
}

static void stop_server(struct fixture *f)
{
	rpc_server_free(f->server);
	f->server = NULL;
}

void fixture_stop_server(struct fixture *f)
{
	fixture_on_loop(f, stop_server);
}

void fixture_stop(struct fixture *f)
{
	fixture_stop_client(f);
	fixture_stop_server(f);
	rpc_poller_free(f->poller);
	loop_free(f->loop);
	ctx_unref(f->root);
}

struct errand {
	struct loop_task task;
	struct fixture *f;
	void (*fn)(struct fixture *f);
	struct signal done;
};

static void run_errand(struct loop_task *task)
{
	struct errand *errand =
		(struct errand *)((char *)task - offsetof(struct errand, task));

	errand->fn(errand->f);
	signal_raise(&errand->done);
}

void fixture_on_loop(struct fixture *f, void (*fn)(struct fixture *f))
{
	struct errand errand = { .task = { .fn = run_errand },
				 .f = f,
				 .fn = fn };

	signal_init(&errand.done);
	loop_post(f->loop, &errand.task);
	signal_await(&errand.done, 1);
}

/* ---- unary calls -------------------------------------------------------- */

struct ctx *fixture_ctx(struct fixture *f, int64_t timeout_ms)
{
	return ctx_new(f->root,
		       timeout_ms < 0
			       ? CLOCK_NEVER
			       : clock_now_ns() + timeout_ms * NS_PER_MS);
}

static void keep_trailing(struct outcome *outcome,
			  const struct rpc_metadata *trailing)
{
	for (size_t i = 0; outcome->trailing_key && i < trailing->count; i++) {
		const struct rpc_metadatum *item = &trailing->items[i];

		if (strcmp(item->key, outcome->trailing_key) == 0) {
			ck_assert_uint_lt(item->size,
					  sizeof(outcome->trailing));
			memcpy(outcome->trailing, item->value, item->size + 1);
			outcome->trailing_size = item->size;
		}
	}
}

static void on_done(const struct status *status,
		    const ProtobufCMessage *message,
		    const struct rpc_metadata *trailing, void *arg)
{
	const Tester__Text *response = (const void *)message;
	struct outcome *outcome = arg;

	outcome->at_ns = clock_now_ns();
	outcome->status = *status;
	outcome->has_response = response != NULL;
	if (response != NULL) {
		snprintf(outcome->text, sizeof(outcome->text), "%s",
			 response->text);
		outcome->number = response->number;
		outcome->blob_size = response->blob.len;
	}
	keep_trailing(outcome, trailing);
	signal_raise(&outcome->done);
}

void outcome_init(struct outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	signal_init(&outcome->done);
}

void outcome_await(struct outcome *outcome)
{
	signal_await(&outcome->done, 1);
}

void call_begin(struct fixture *f, struct ctx *ctx, const char *method,
		const Tester__Text *request, const struct rpc_metadata *with,
		struct outcome *outcome)
{
	rpc_unary(f->channel, ctx, &tester__tester__descriptor, method,
		  &request->base, with, on_done, outcome);
}

void call_message(struct fixture *f, const char *method,
		  const Tester__Text *request, struct outcome *outcome)
{
	struct ctx *ctx = fixture_ctx(f, 10000);

	outcome_init(outcome);
	call_begin(f, ctx, method, request, NULL, outcome);
	outcome_await(outcome);
	ctx_unref(ctx);
}

void call_text(struct fixture *f, const char *method, const char *text,
	       struct outcome *outcome)
{
	Tester__Text request = TESTER__TEXT__INIT;

	request.text = (char *)(uintptr_t)text;
	call_message(f, method, &request, outcome);
}

/* ---- streams ------------------------------------------------------------ */

static void on_message(struct rpc_stream *stream,
		       const ProtobufCMessage *message, void *arg)
{
	const Tester__Text *text = (const void *)message;
	struct flow *flow = arg;
	size_t size = strlen(flow->text);

	/* What does not fit is not looked at. */
	if (size + strlen(text->text) < sizeof(flow->text)) {
		strcpy(flow->text + size, text->text);
	}
	if (flow->receive_on) {
		rpc_stream_receive(stream);
	}
	signal_raise(&flow->received);
}

static void on_sent(struct rpc_stream *stream, bool ok, void *arg)
{
	struct flow *flow = arg;

	(void)stream;
	flow->sent_ok = ok;
	flow->sent_lost |= !ok;
	signal_raise(&flow->sent);
}

static void on_stream_end(struct rpc_stream *stream,
			  const struct status *status,
			  const struct rpc_metadata *trailing, void *arg)
{
	struct flow *flow = arg;

	(void)trailing;
	flow->status = *status;
	if (!flow->kept) {
		rpc_stream_release(stream);
	}
	signal_raise(&flow->ended);
}

static const struct rpc_stream_callbacks flow_callbacks = { on_message, on_sent,
							    on_stream_end };

static void flow_init(struct flow *flow, struct fixture *f)
{
	memset(flow, 0, sizeof(*flow));
	flow->f = f;
	signal_init(&flow->received);
	signal_init(&flow->sent);
	signal_init(&flow->ended);
}

void flow_open(struct flow *flow, struct fixture *f, struct ctx *ctx,
	       const char *method)
{
	flow_init(flow, f);
	flow->stream =
		rpc_stream_open(f->channel, ctx, &tester__tester__descriptor,
				method, NULL, &flow_callbacks, flow);
}

void flow_begin(struct flow *flow, struct fixture *f, struct ctx *ctx,
		const char *method, const Tester__Text *first)
{
	flow_init(flow, f);
	flow->stream = rpc_stream_begin(
		f->channel, ctx, &tester__tester__descriptor, method, NULL,
		&flow_callbacks, flow, &first->base);
}

void flow_post(struct flow *flow, const char *text, bool last)
{
	Tester__Text message = TESTER__TEXT__INIT;

	message.text = (char *)(uintptr_t)text;
	if (last) {
		rpc_stream_send_last(flow->stream, &message.base);
	} else {
		rpc_stream_send(flow->stream, &message.base);
	}
}

void flow_send(struct flow *flow, const char *text)
{
	unsigned before = flow->sent.count;

	flow_post(flow, text, false);
	signal_await(&flow->sent, before + 1);
}

/* ---- processes ---------------------------------------------------------- */

static _Noreturn void call_and_wait(int fd, int64_t timeout_ms)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	uint16_t port;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(fd, &port, sizeof(port)) != sizeof(port)) {
		_exit(1);
	}
	fixture_init(&f);
	snprintf(f.target, sizeof(f.target), "127.0.0.1:%u", port);
	fixture_start_client(&f);
	outcome_init(&outcome);
	call_begin(&f, fixture_ctx(&f, timeout_ms), "Wait", &request, NULL,
		   &outcome);
	outcome_await(&outcome);
	_exit(0);
}

void caller_fork(struct caller *caller, int64_t timeout_ms)
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	caller->pid = fork();
	ck_assert_int_ge(caller->pid, 0);
	if (caller->pid == 0) {
		close(fds[0]);
		call_and_wait(fds[1], timeout_ms);
	}
	close(fds[1]);
	caller->fd = fds[0];
}

void caller_call(const struct caller *caller, uint16_t port)
{
	ck_assert_int_eq(write(caller->fd, &port, sizeof(port)), sizeof(port));
}

void caller_kill(struct caller *caller)
{
	kill(caller->pid, SIGKILL);
	ck_assert_int_eq(waitpid(caller->pid, NULL, 0), caller->pid);
	close(caller->fd);
}

void connect_to(int fd, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
}

int raw_connect(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	connect_to(fd, port);
	return fd;
}

bool raw_await_close(int fd)
{
	int64_t until_ns = clock_now_ns() + PATIENCE_S * (int64_t)NS_PER_S;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	do {
		int64_t left_ns = until_ns - clock_now_ns();

		if (left_ns <= 0 ||
		    poll(&poll_fd, 1, (int)(left_ns / NS_PER_MS)) == 0) {
			return false;
		}
		n = read(fd, bytes, sizeof(bytes));
	} while (n > 0);
	return true;
}

int run_case(TCase *tc, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 3 * PATIENCE_S);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
