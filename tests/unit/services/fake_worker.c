#include "fake_worker.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void do_work(struct worker_port *port, struct ctx *ctx,
		    const char *task_id, const char *data,
		    struct worker_call *call)
{
	struct fake_worker *fake = (struct fake_worker *)port;

	ck_assert_ptr_null(atomic_load(&fake->call));
	snprintf(fake->task_id, sizeof(fake->task_id), "%s", task_id);
	snprintf(fake->data, sizeof(fake->data), "%s", data);
	if (fake->ctx != NULL) {
		ctx_unref(fake->ctx);
	}
	fake->ctx = ctx_ref(ctx);
	atomic_fetch_add(&fake->calls, 1);
	atomic_store(&fake->call, call);
	sem_post(&fake->called);
}

static bool is_ready(struct worker_port *port)
{
	(void)port;
	return true;
}

void fake_worker_init(struct fake_worker *fake)
{
	static const struct worker_port_ops ops = { do_work, is_ready };

	memset(fake, 0, sizeof(*fake));
	fake->port.ops = &ops;
	sem_init(&fake->called, 0, 0);
}

void fake_worker_release(struct fake_worker *fake)
{
	ck_assert_ptr_null(atomic_load(&fake->call));
	if (fake->ctx != NULL) {
		ctx_unref(fake->ctx);
	}
	sem_destroy(&fake->called);
}

void fake_worker_await(struct fake_worker *fake)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	ck_assert_int_eq(sem_timedwait(&fake->called, &until), 0);
}

void fake_worker_reply(struct fake_worker *fake, enum status_code code,
		       const char *text)
{
	struct worker_call *call = atomic_exchange(&fake->call, NULL);
	struct status status;

	ck_assert_msg(call != NULL, "no call waits for the worker");
	status_set(&status, code, "%s", code == STATUS_OK ? "" : text);
	call->done(call, &status, code == STATUS_OK ? text : "");
}
