/*
 * The inside of the health service: its table and the callers that watch it.
 *
 * A watcher is told the latest state, one message in flight at a time, and
 * nothing twice. It ends when its caller leaves or the service shuts down.
 * Whoever takes it (sets done, under the mutex) ends its call; while a send is
 * in flight nobody may take it but the one who is told of the send.
 */
#ifndef RESCIND_RPC_HEALTH_WATCH_H
#define RESCIND_RPC_HEALTH_WATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/health.h"

enum {
	HEALTH_SERVICES_MAX = 1024,
	HEALTH_LIST_MAX = 100,
	HEALTH_WATCHERS_MAX = 1024,
	HEALTH_NAME_SIZE_MAX = 512, /* of a watched service */
};

/* The numbers are those of HealthCheckResponse.ServingStatus. */
enum health_state {
	HEALTH_NONE = 0, /* a watcher has been told nothing yet */
	HEALTH_SERVING = 1,
	HEALTH_NOT_SERVING = 2,
	HEALTH_SERVICE_UNKNOWN = 3,
};

struct health_service {
	char *name;
	enum health_state state;
};

struct health_watcher {
	struct ctx_hook hook;
	struct rpc_health *health;
	struct rpc_call *call;
	struct health_watcher *prev, *next;
	atomic_int refs;	/* of the taker to come, the hook, a send */
	enum health_state told; /* last */
	bool linked;
	bool sending;
	bool leaving; /* to be ended once the send is over */
	bool done;
	struct status end; /* once leaving or done */
	char name[];
};

struct rpc_health {
	atomic_int refs;       /* of the owner and each watcher */
	pthread_mutex_t mutex; /* all below, and every watcher */
	bool stopped;
	struct health_watcher *watchers;
	size_t watcher_count;
	size_t service_count;
	struct health_service services[HEALTH_SERVICES_MAX];
};

void health_ref(struct rpc_health *health);
void health_unref(struct rpc_health *health);
void health_watcher_unref(struct health_watcher *watcher);
/* Under the mutex. */
enum health_state health_state_of(struct rpc_health *health, const char *name);

/* The handler of Watch. */
void health_watch(struct rpc_call *call, void *self);

/* Under the mutex: tell those who watch @name. */
void health_watchers_tell(struct rpc_health *health, const char *name);
/*
 * Under the mutex: tell everyone the last state and take all; those with a send
 * in flight will end by themselves. The taken are for health_watchers_finish(),
 * outside of the mutex.
 */
struct health_watcher *health_watchers_dismiss(struct rpc_health *health);
void health_watchers_finish(struct health_watcher *taken);

#endif
