#include "fake_worker.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void note(struct fake_worker *fake, struct ctx *ctx, const char *task_id,
		 const char *data)
{
	snprintf(fake->task_id, sizeof(fake->task_id), "%s", task_id);
	snprintf(fake->data, sizeof(fake->data), "%s", data);
	if (fake->ctx != NULL) {
		ctx_unref(fake->ctx);
	}
	fake->ctx = ctx_ref(ctx);
	atomic_fetch_add(&fake->calls, 1);
}

static void do_work(struct worker_port *port, struct ctx *ctx,
		    const char *task_id, const char *data,
		    struct worker_call *call)
{
	struct fake_worker *fake = (struct fake_worker *)port;

	ck_assert_ptr_null(atomic_load(&fake->call));
	note(fake, ctx, task_id, data);
	atomic_store(&fake->call, call);
	sem_post(&fake->called);
}

static void prepare(struct worker_port *port, struct ctx *ctx,
		    const struct worker_order *order, struct worker_link *link)
{
	struct fake_worker *fake = (struct fake_worker *)port;

	ck_assert_ptr_null(atomic_load(&fake->link));
	note(fake, ctx, order->task_id, order->data);
	snprintf(fake->coordinator, sizeof(fake->coordinator), "%s",
		 order->coordinator);
	snprintf(fake->transaction_id, sizeof(fake->transaction_id), "%s",
		 order->transaction_id);
	atomic_store(&fake->link, link);
	sem_post(&fake->called);
}

static void commit(struct worker_port *port, struct worker_link *link)
{
	struct fake_worker *fake = (struct fake_worker *)port;

	ck_assert_ptr_eq(atomic_load(&fake->link), link);
	atomic_fetch_add(&fake->commits, 1);
}

static void rollback(struct worker_port *port, struct worker_link *link)
{
	struct fake_worker *fake = (struct fake_worker *)port;

	ck_assert_ptr_eq(atomic_load(&fake->link), link);
	atomic_fetch_add(&fake->rollbacks, 1);
}

static bool is_ready(struct worker_port *port)
{
	(void)port;
	return true;
}

void fake_worker_init(struct fake_worker *fake)
{
	static const struct worker_port_ops ops = {
		.do_work = do_work,
		.prepare = prepare,
		.commit = commit,
		.rollback = rollback,
		.is_ready = is_ready,
	};

	memset(fake, 0, sizeof(*fake));
	fake->port.ops = &ops;
	sem_init(&fake->called, 0, 0);
}

void fake_worker_release(struct fake_worker *fake)
{
	ck_assert_ptr_null(atomic_load(&fake->call));
	ck_assert_ptr_null(atomic_load(&fake->link));
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

void fake_worker_say(struct fake_worker *fake, enum twopc_verdict verdict,
		     const char *text)
{
	struct worker_link *link = atomic_load(&fake->link);

	ck_assert_msg(link != NULL, "no exchange is under way");
	link->said(link, verdict, text);
}

void fake_worker_end(struct fake_worker *fake, enum status_code code,
		     const char *text)
{
	struct worker_link *link = atomic_load(&fake->link);
	struct status status = status_make(code, "%s", text);

	ck_assert_msg(link != NULL, "no exchange is under way");
	link->ended(link, &status); /* until then orders may cross it */
	atomic_store(&fake->link, NULL);
}
