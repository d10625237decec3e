#include "stock_order/service/order_service.h"

#include <stdlib.h>
#include <string.h>

#include "stock_order/service/page_token.h"

void order_service_init(struct order_service *service,
			struct order_repository *orders,
			struct order_clock *clock, struct order_ids *ids)
{
	*service = (struct order_service){ .orders = orders,
					   .clock = clock,
					   .ids = ids };
	atomic_init(&service->newest_us, INT64_MIN);
	atomic_init(&service->live, 0);
}

/* ---- requests ----------------------------------------------------------- */

/* The head of every request. */
struct request {
	struct order_service *service;
	void *arg;
};

static void *request_new(struct order_service *service, size_t size, void *arg)
{
	struct request *request = malloc(size);

	if (request == NULL) {
		abort();
	}
	request->service = service;
	request->arg = arg;
	atomic_fetch_add_explicit(&service->live, 1, memory_order_relaxed);
	return request;
}

/* The last look at the service: who waits for the last request may free it. */
static void request_free(struct request *request)
{
	struct order_service *service = request->service;

	free(request);
	atomic_fetch_sub_explicit(&service->live, 1, memory_order_release);
}

/*
 * What to answer to a change that ended so: where its time passed while the
 * repository could not take changes, that is the reason, and not the time.
 */
static const struct status *blame(struct order_service *service,
				  const struct status *status,
				  struct status *storage)
{
	struct order_repository *orders = service->orders;

	if (status->code != STATUS_DEADLINE_EXCEEDED ||
	    orders->ops->health(orders, storage) == STATUS_OK) {
		return status;
	}
	status_wrap(storage, "database");
	storage->code = STATUS_UNAVAILABLE;
	return storage;
}

static void refuse(order_answer_fn answer, void *arg, struct status why)
{
	answer(&why, NULL, arg);
}

/* ---- create ------------------------------------------------------------- */

struct create {
	struct request base; /* first */
	order_placed_fn answer;
	struct order order;
	char key[ORDER_KEY_MAX + 1]; /* "" for none */
};

/*
 * When the next order is created: now, but after every other, so that the list
 * is in one order for everybody.
 */
static int64_t next_instant_us(struct order_service *service)
{
	int64_t now_us = service->clock->now_us(service->clock);
	int64_t newest_us = atomic_load(&service->newest_us);
	int64_t next_us;

	do {
		next_us = now_us > newest_us ? now_us : newest_us + 1;
	} while (!atomic_compare_exchange_weak(&service->newest_us, &newest_us,
					       next_us));
	return next_us;
}

static bool copy_key(char ret_key[ORDER_KEY_MAX + 1], const char *key)
{
	size_t size = 0;

	for (; key[size] != '\0'; size++) {
		if (size == ORDER_KEY_MAX || key[size] <= ' ' ||
		    key[size] >= 0x7F) {
			return false;
		}
		ret_key[size] = key[size];
	}
	ret_key[size] = '\0';
	return size > 0;
}

static enum status_code make_order(struct order_service *service,
				   struct create *create,
				   const struct order_draft *draft,
				   const char *key, struct status *reterr)
{
	char id[ORDER_ID_SIZE];
	enum status_code code = order_validate(draft, NULL, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	create->key[0] = '\0';
	if (key != NULL && !copy_key(create->key, key)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "idempotency key must be 1 to %d visible "
				  "ASCII characters",
				  ORDER_KEY_MAX);
	}
	service->ids->make(service->ids, id);
	return order_create(&create->order, draft, id, next_instant_us(service),
			    reterr);
}

static void on_created(const struct status *status, enum order_created how,
		       const struct order *order, void *arg)
{
	struct create *create = arg;
	struct status taken;
	struct status storage;

	if (status->code == STATUS_OK && how == ORDER_KEY_TAKEN) {
		taken = status_make(STATUS_ALREADY_EXISTS,
				    "idempotency key was used for another "
				    "order");
		create->answer(&taken, NULL, false, create->base.arg);
	} else {
		create->answer(blame(create->base.service, status, &storage),
			       order, how == ORDER_REPLAYED, create->base.arg);
	}
	request_free(&create->base);
}

void order_service_create(struct order_service *service, struct ctx *ctx,
			  const struct order_draft *draft, const char *key,
			  order_placed_fn answer, void *arg)
{
	struct create *create = request_new(service, sizeof(*create), arg);
	struct order_repository *orders = service->orders;
	struct status bad;

	create->answer = answer;
	if (make_order(service, create, draft, key, &bad) != STATUS_OK) {
		answer(&bad, NULL, false, arg);
		request_free(&create->base);
		return;
	}
	orders->ops->create(orders, ctx, &create->order,
			    create->key[0] == '\0' ? NULL : create->key,
			    on_created, create);
}

/* ---- get, cancel -------------------------------------------------------- */

struct lookup {
	struct request base; /* first */
	order_answer_fn answer;
	char id[ORDER_ID_SIZE];
};

/* NULL, and answered, for what can't be an id. */
static struct lookup *lookup_new(struct order_service *service, const char *id,
				 order_answer_fn answer, void *arg)
{
	size_t size = strnlen(id, ORDER_ID_SIZE);
	struct lookup *lookup;

	if (size == 0 || size == ORDER_ID_SIZE) {
		refuse(answer, arg,
		       status_make(STATUS_NOT_FOUND, "order not found: %s",
				   id));
		return NULL;
	}
	lookup = request_new(service, sizeof(*lookup), arg);
	lookup->answer = answer;
	memcpy(lookup->id, id, size + 1);
	return lookup;
}

static void on_order(const struct status *status, const struct order *order,
		     void *arg)
{
	struct lookup *lookup = arg;

	lookup->answer(status, order, lookup->base.arg);
	request_free(&lookup->base);
}

void order_service_get(struct order_service *service, struct ctx *ctx,
		       const char *id, order_answer_fn answer, void *arg)
{
	struct lookup *lookup = lookup_new(service, id, answer, arg);
	struct order_repository *orders = service->orders;

	if (lookup != NULL) {
		orders->ops->get(orders, ctx, lookup->id, on_order, lookup);
	}
}

static void on_changed(const struct status *status, const struct order *order,
		       void *arg)
{
	struct lookup *lookup = arg;
	struct status storage;

	on_order(blame(lookup->base.service, status, &storage), order, lookup);
}

static enum status_code cancel_now(struct order *order, void *arg,
				   struct status *reterr)
{
	const struct lookup *lookup = arg;
	struct order_clock *clock = lookup->base.service->clock;

	return order_cancel(order, clock->now_us(clock), reterr);
}

void order_service_cancel(struct order_service *service, struct ctx *ctx,
			  const char *id, order_answer_fn answer, void *arg)
{
	struct lookup *lookup = lookup_new(service, id, answer, arg);
	struct order_repository *orders = service->orders;

	if (lookup != NULL) {
		orders->ops->change(orders, ctx, lookup->id, cancel_now,
				    on_changed, lookup);
	}
}

/* ---- list --------------------------------------------------------------- */

struct listing {
	struct request base; /* first */
	order_list_fn answer;
};

static void on_page(const struct status *status, const struct order *orders,
		    size_t orders_n, bool more, void *arg)
{
	struct listing *listing = arg;
	char token[ORDER_PAGE_TOKEN_SIZE] = "";

	if (status->code == STATUS_OK && more) {
		page_token_write(&orders[orders_n - 1], token);
	}
	listing->answer(status, orders, orders_n, token, listing->base.arg);
	request_free(&listing->base);
}

static size_t limit_of(int64_t page_size)
{
	if (page_size == 0) {
		return ORDER_PAGE_DEFAULT;
	}
	return page_size > ORDER_PAGE_MAX ? ORDER_PAGE_MAX : (size_t)page_size;
}

/* *ret_after is @storage then; left alone for the first page. */
static enum status_code check_page(int64_t page_size, const char *page_token,
				   struct order_cursor *storage,
				   const struct order_cursor **ret_after,
				   struct status *reterr)
{
	if (page_size < 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "page_size must not be negative");
	}
	if (page_token == NULL || page_token[0] == '\0') {
		return STATUS_OK;
	}
	if (!page_token_parse(page_token, storage)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "page_token is not one that was given out");
	}
	*ret_after = storage;
	return STATUS_OK;
}

void order_service_list(struct order_service *service, struct ctx *ctx,
			int64_t page_size, const char *page_token,
			order_list_fn answer, void *arg)
{
	struct order_repository *orders = service->orders;
	struct order_cursor storage;
	const struct order_cursor *after = NULL;
	struct listing *listing;
	struct status bad;

	if (check_page(page_size, page_token, &storage, &after, &bad) !=
	    STATUS_OK) {
		answer(&bad, NULL, 0, "", arg);
		return;
	}
	listing = request_new(service, sizeof(*listing), arg);
	listing->answer = answer;
	orders->ops->page(orders, ctx, after, limit_of(page_size), on_page,
			  listing);
}

/* ---- health ------------------------------------------------------------- */

enum status_code order_service_health(struct order_service *service,
				      struct status *reterr)
{
	return service->orders->ops->health(service->orders, reterr);
}
