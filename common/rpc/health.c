#include "rpc/health.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"
#include "health_schema.h"
#include "rpc/health_watch.h"
#include "rpc/server_internal.h"

/* ---- the table ---------------------------------------------------------- */

static struct health_service *find_service(struct rpc_health *health,
					   const char *name)
{
	for (size_t i = 0; i < health->service_count; i++) {
		if (strcmp(health->services[i].name, name) == 0) {
			return &health->services[i];
		}
	}
	return NULL;
}

static struct health_service *add_service(struct rpc_health *health,
					  const char *name)
{
	struct health_service *service;

	if (health->service_count == HEALTH_SERVICES_MAX) {
		fprintf(stderr, "health: more than %d services\n",
			HEALTH_SERVICES_MAX);
		abort();
	}
	service = &health->services[health->service_count];
	service->name = strdup(name);
	if (service->name == NULL) {
		fprintf(stderr, "health: out of memory\n");
		abort();
	}
	health->service_count++;
	return service;
}

enum health_state health_state_of(struct rpc_health *health, const char *name)
{
	const struct health_service *service = find_service(health, name);

	return service != NULL ? service->state : HEALTH_SERVICE_UNKNOWN;
}

void rpc_health_set(struct rpc_health *health, const char *service,
		    bool serving)
{
	struct health_service *known;

	pthread_mutex_lock(&health->mutex);
	if (!health->stopped) {
		known = find_service(health, service);
		if (known == NULL) {
			known = add_service(health, service);
		}
		known->state = serving ? HEALTH_SERVING : HEALTH_NOT_SERVING;
		health_watchers_tell(health, service);
	}
	pthread_mutex_unlock(&health->mutex);
}

void rpc_health_shutdown(struct rpc_health *health)
{
	struct health_watcher *leaving;

	pthread_mutex_lock(&health->mutex);
	health->stopped = true;
	for (size_t i = 0; i < health->service_count; i++) {
		health->services[i].state = HEALTH_NOT_SERVING;
	}
	leaving = health_watchers_dismiss(health);
	pthread_mutex_unlock(&health->mutex);
	health_watchers_finish(leaving);
}

/* ---- handlers ----------------------------------------------------------- */

static void check(struct rpc_call *call, const ProtobufCMessage *message,
		  void *self)
{
	const Grpc__Health__V1__HealthCheckRequest *request =
		(const void *)message;
	Grpc__Health__V1__HealthCheckResponse response =
		GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
	struct rpc_health *health = self;
	enum health_state state;
	struct status status;

	pthread_mutex_lock(&health->mutex);
	state = health_state_of(health, request->service);
	pthread_mutex_unlock(&health->mutex);
	if (state == HEALTH_SERVICE_UNKNOWN) {
		status_set(&status, STATUS_NOT_FOUND, "unknown service '%s'",
			   request->service);
		rpc_call_finish(call, &status, NULL, 0);
		return;
	}
	response.status =
		(Grpc__Health__V1__HealthCheckResponse__ServingStatus)state;
	rpc_call_reply(call, &response.base);
}

/* An entry of the answer to List, with what it points to. */
struct list_item {
	Grpc__Health__V1__HealthListResponse__StatusesEntry entry;
	Grpc__Health__V1__HealthCheckResponse value;
};

static void list_item_init(struct list_item *item,
			   const struct health_service *service)
{
	grpc__health__v1__health_list_response__statuses_entry__init(
		&item->entry);
	grpc__health__v1__health_check_response__init(&item->value);
	item->value.status =
		(Grpc__Health__V1__HealthCheckResponse__ServingStatus)
			service->state;
	item->entry.key = service->name;
	item->entry.value = &item->value;
}

/* The entries, or more than HEALTH_LIST_MAX and none. */
static size_t list_items(struct rpc_health *health, struct list_item *items)
{
	size_t count;

	pthread_mutex_lock(&health->mutex);
	count = health->service_count;
	for (size_t i = 0; i < count && count <= HEALTH_LIST_MAX; i++) {
		list_item_init(&items[i], &health->services[i]);
	}
	pthread_mutex_unlock(&health->mutex);
	return count;
}

static void list(struct rpc_call *call, const ProtobufCMessage *request,
		 void *self)
{
	Grpc__Health__V1__HealthListResponse response =
		GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;
	Grpc__Health__V1__HealthListResponse__StatusesEntry
		*entries[HEALTH_LIST_MAX];
	struct list_item items[HEALTH_LIST_MAX];
	size_t count = list_items(self, items);
	struct status status;

	(void)request;
	if (count > HEALTH_LIST_MAX) {
		status_set(&status, STATUS_RESOURCE_EXHAUSTED,
			   "%zu services are more than a list may have (%d)",
			   count, HEALTH_LIST_MAX);
		rpc_call_finish(call, &status, NULL, 0);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		entries[i] = &items[i].entry;
	}
	response.n_statuses = count;
	response.statuses = entries;
	rpc_call_reply(call, &response.base);
}

/* ---- life --------------------------------------------------------------- */

void health_unref(struct rpc_health *health)
{
	if (atomic_fetch_sub(&health->refs, 1) != 1) {
		return;
	}
	for (size_t i = 0; i < health->service_count; i++) {
		free(health->services[i].name);
	}
	pthread_mutex_destroy(&health->mutex);
	free(health);
}

void health_watcher_unref(struct health_watcher *watcher)
{
	if (atomic_fetch_sub(&watcher->refs, 1) == 1) {
		health_unref(watcher->health);
		free(watcher);
	}
}

void health_ref(struct rpc_health *health)
{
	atomic_fetch_add(&health->refs, 1);
}

enum status_code rpc_health_new(struct rpc_server *server,
				struct rpc_health **ret_health,
				struct status *reterr)
{
	static const struct rpc_method methods[] = {
		{ "Check", .unary = check },
		{ "List", .unary = list },
		{ "Watch", .stream = health_watch },
		{ NULL },
	};
	struct rpc_health *health = calloc(1, sizeof(*health));
	enum status_code code;

	if (health == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "health: out of memory");
	}
	atomic_init(&health->refs, 1);
	pthread_mutex_init(&health->mutex, NULL);
	rpc_health_set(health, "", true);
	code = rpc_server_add_uncounted_service(
		server, &grpc__health__v1__health__descriptor, &health_schema,
		methods, health, reterr);
	if (code != STATUS_OK) {
		health_unref(health);
		return status_wrap(reterr, "add the health service");
	}
	*ret_health = health;
	return STATUS_OK;
}

void rpc_health_free(struct rpc_health *health)
{
	if (health != NULL) {
		health_unref(health);
	}
}
