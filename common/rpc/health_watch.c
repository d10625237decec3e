#include "rpc/health_watch.h"

#include <stdlib.h>
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"

/* ---- under the mutex ---------------------------------------------------- */

static void on_sent(struct rpc_call *call, bool ok, void *arg);

/* Send the latest state unless it was told, or a send is in flight. */
static void tell(struct health_watcher *watcher, rpc_sent_fn sent)
{
	Grpc__Health__V1__HealthCheckResponse response =
		GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	enum health_state state =
		health_state_of(watcher->health, watcher->name);

	if (watcher->sending || watcher->done || state == watcher->told) {
		return;
	}
	watcher->told = state;
	if (sent != NULL) {
		watcher->sending = true;
		atomic_fetch_add(&watcher->refs, 1);
	}
	response.status =
		(Grpc__Health__V1__HealthCheckResponse__ServingStatus)state;
	rpc_call_send(watcher->call, &response.base, sent, watcher);
}

static void link_watcher(struct health_watcher *watcher)
{
	struct rpc_health *health = watcher->health;

	watcher->next = health->watchers;
	if (watcher->next != NULL) {
		watcher->next->prev = watcher;
	}
	health->watchers = watcher;
	health->watcher_count++;
	watcher->linked = true;
}

static void unlink_watcher(struct health_watcher *watcher)
{
	struct rpc_health *health = watcher->health;

	if (!watcher->linked) {
		return;
	}
	if (watcher->prev != NULL) {
		watcher->prev->next = watcher->next;
	} else {
		health->watchers = watcher->next;
	}
	if (watcher->next != NULL) {
		watcher->next->prev = watcher->prev;
	}
	watcher->prev = NULL;
	watcher->next = NULL;
	health->watcher_count--;
	watcher->linked = false;
}

/*
 * It is to end with @end. True: it is the caller's to finish, now. False: it is
 * another's, or ends when its send is over.
 */
static bool take(struct health_watcher *watcher, const struct status *end)
{
	if (!watcher->leaving) {
		watcher->leaving = true;
		watcher->end = *end;
	}
	if (watcher->done || watcher->sending) {
		return false;
	}
	watcher->done = true;
	unlink_watcher(watcher);
	return true;
}

void health_watchers_tell(struct rpc_health *health, const char *name)
{
	for (struct health_watcher *watcher = health->watchers; watcher != NULL;
	     watcher = watcher->next) {
		if (strcmp(watcher->name, name) == 0) {
			tell(watcher, on_sent);
		}
	}
}

static struct status stopping(void)
{
	return status_make(STATUS_CANCELLED, "the server is shutting down");
}

struct health_watcher *health_watchers_dismiss(struct rpc_health *health)
{
	struct status end = stopping();
	struct health_watcher *taken = NULL;
	struct health_watcher *next;

	for (struct health_watcher *watcher = health->watchers; watcher != NULL;
	     watcher = next) {
		next = watcher->next;
		tell(watcher, NULL);
		if (take(watcher, &end)) {
			watcher->next = taken;
			taken = watcher;
		}
	}
	return taken;
}

/* ---- ends --------------------------------------------------------------- */

/* End the call of a watcher that the caller has taken. */
static void finish(struct health_watcher *watcher)
{
	struct ctx *ctx = rpc_call_ctx(watcher->call);

	if (ctx_hook_remove(ctx, &watcher->hook)) {
		health_watcher_unref(watcher);
	}
	rpc_call_finish(watcher->call, &watcher->end, NULL, 0);
	health_watcher_unref(watcher);
}

void health_watchers_finish(struct health_watcher *taken)
{
	while (taken != NULL) {
		struct health_watcher *next = taken->next;

		finish(taken);
		taken = next;
	}
}

/* The caller has left, or the server ends its calls. */
static void on_ctx_end(struct ctx_hook *hook, struct ctx *ctx)
{
	struct health_watcher *watcher =
		(struct health_watcher *)(void *)hook; /* its first member */
	struct status end;
	bool mine;

	if (ctx_cause(ctx, &end) == CTX_SHUTDOWN) {
		end = stopping();
	}
	pthread_mutex_lock(&watcher->health->mutex);
	mine = take(watcher, &end);
	pthread_mutex_unlock(&watcher->health->mutex);
	if (mine) {
		finish(watcher);
	}
	health_watcher_unref(watcher);
}

static void on_sent(struct rpc_call *call, bool ok, void *arg)
{
	struct status gone =
		status_make(STATUS_CANCELLED, "the caller has left");
	struct status stopped = stopping();
	struct health_watcher *watcher = arg;
	struct rpc_health *health = watcher->health;
	bool mine = false;

	(void)call;
	pthread_mutex_lock(&health->mutex);
	watcher->sending = false;
	if (!ok) {
		mine = take(watcher, &gone);
	} else if (watcher->leaving || health->stopped) {
		tell(watcher, NULL);
		mine = take(watcher, &stopped);
	} else {
		tell(watcher, on_sent);
	}
	pthread_mutex_unlock(&health->mutex);
	if (mine) {
		finish(watcher);
	}
	health_watcher_unref(watcher);
}

/* ---- beginning ---------------------------------------------------------- */

static struct health_watcher *
watcher_new(struct rpc_health *health, struct rpc_call *call, const char *name)
{
	size_t size = strlen(name) + 1;
	struct health_watcher *watcher = calloc(1, sizeof(*watcher) + size);

	if (watcher != NULL) {
		atomic_init(&watcher->refs, 3); /* taker, hook, watch() */
		watcher->hook.fn = on_ctx_end;
		watcher->health = health;
		watcher->call = call;
		memcpy(watcher->name, name, size);
		health_ref(health);
	}
	return watcher;
}

/* Under the mutex; true when it must be finished right away. */
static bool enlist(struct health_watcher *watcher)
{
	struct rpc_health *health = watcher->health;
	struct status end;

	if (watcher->done) {
		return false; /* the caller has left meanwhile */
	}
	if (health->stopped) {
		end = stopping();
		tell(watcher, NULL);
		return take(watcher, &end);
	}
	if (health->watcher_count == HEALTH_WATCHERS_MAX) {
		end = status_make(STATUS_RESOURCE_EXHAUSTED,
				  "more than %d watchers", HEALTH_WATCHERS_MAX);
		return take(watcher, &end);
	}
	link_watcher(watcher);
	tell(watcher, on_sent);
	return false;
}

static void watch(struct rpc_health *health, struct rpc_call *call,
		  const char *name)
{
	struct health_watcher *watcher = watcher_new(health, call, name);
	struct status end;
	bool mine;

	if (watcher == NULL) {
		end = status_make(STATUS_RESOURCE_EXHAUSTED, "out of memory");
		rpc_call_finish(call, &end, NULL, 0);
		return;
	}
	if (!ctx_hook_add(rpc_call_ctx(call), &watcher->hook)) {
		(void)ctx_cause(rpc_call_ctx(call), &end);
		rpc_call_finish(call, &end, NULL, 0);
		health_watcher_unref(watcher);
		health_watcher_unref(watcher);
		health_watcher_unref(watcher);
		return;
	}
	pthread_mutex_lock(&health->mutex);
	mine = enlist(watcher);
	pthread_mutex_unlock(&health->mutex);
	if (mine) {
		finish(watcher);
	}
	health_watcher_unref(watcher);
}

static void on_request(struct rpc_call *call, const ProtobufCMessage *message,
		       const struct status *end, void *arg)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
		(const void *)message;
	struct status refused;

	if (message == NULL && end->code != STATUS_OK) {
		rpc_call_finish(call, end, NULL, 0);
	} else if (message == NULL) {
		refused = status_make(STATUS_INVALID_ARGUMENT, "no request");
		rpc_call_finish(call, &refused, NULL, 0);
	} else if (strlen(request->service) >= HEALTH_NAME_SIZE_MAX) {
		refused = status_make(STATUS_INVALID_ARGUMENT,
				      "service name of more than %d bytes",
				      HEALTH_NAME_SIZE_MAX - 1);
		rpc_call_finish(call, &refused, NULL, 0);
	} else {
		watch(arg, call, request->service);
	}
}

void health_watch(struct rpc_call *call, void *self)
{
	rpc_call_receive(call, on_request, self);
}
