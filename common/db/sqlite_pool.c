#include "db/sqlite_pool.h"

#include <malloc.h>

#include "db/sqlite_cond.h"
#include "db/sqlite_error.h"

/* How long an image must have been superfluous before it is closed. */
enum { PATIENCE_NS = NS_PER_S };

/* ---- under the lock ----------------------------------------------------- */

/* Spares worth having: more where more are in use. */
static size_t spares_wanted(const struct image_pool *pool)
{
	size_t wanted = pool->keep + pool->in_use / 8;
	size_t room = pool->max - pool->in_use;

	return wanted < room ? wanted : room;
}

static void push(struct image_pool *pool, struct image *image)
{
	image->next = pool->idle;
	pool->idle = image;
	pool->idle_n++;
}

static struct image *pop(struct image_pool *pool)
{
	struct image *image = pool->idle;

	if (image != NULL) {
		pool->idle = image->next;
		pool->idle_n--;
		if (pool->idle_n < pool->idle_least) {
			pool->idle_least = pool->idle_n;
		}
	}
	return image;
}

/* Those that nobody needed since the last look, as a list. */
static struct image *pop_superfluous(struct image_pool *pool)
{
	size_t wanted = spares_wanted(pool);
	struct image *list = NULL;

	for (size_t n = pool->idle_least; n > wanted; n--) {
		struct image *image = pop(pool);

		image->next = list;
		list = image;
	}
	pool->idle_least = pool->idle_n;
	return list;
}

static void close_list(struct image *list)
{
	while (list != NULL) {
		struct image *next = list->next;

		image_close(list);
		list = next;
	}
}

/* ---- the helper --------------------------------------------------------- */

/* Sleep until woken or @until_ns; true when woken. */
static bool helper_sleep(struct image_pool *pool, int64_t until_ns)
{
	bool woken;

	pool->helper_state =
		until_ns == CLOCK_NEVER ? HELPER_SLEEPS : HELPER_NAPS;
	woken = cond_wait_until(&pool->wake, &pool->lock, until_ns);
	pool->helper_state = HELPER_WORKS;
	return woken;
}

static void open_spare(struct image_pool *pool)
{
	struct image *image;
	struct status err;
	enum status_code code;

	pthread_mutex_unlock(&pool->lock);
	code = image_open(pool->plan, &image, &err);
	pthread_mutex_lock(&pool->lock);
	if (code == STATUS_OK) {
		push(pool, image);
	} else if (!pool->closing) {
		/* Memory is short: whoever needs one will see for himself. */
		(void)helper_sleep(pool, clock_now_ns() + PATIENCE_NS);
	}
}

/*
 * What a burst of transactions took goes back to the system once all is quiet;
 * the allocator would keep it, as it lies between what is still in use.
 */
static void close_superfluous(struct image_pool *pool)
{
	struct image *list = pop_superfluous(pool);
	bool quiet = pool->in_use == 0;

	pthread_mutex_unlock(&pool->lock);
	if (list != NULL) {
		close_list(list);
		if (quiet) {
			(void)malloc_trim(0);
		}
	}
	pthread_mutex_lock(&pool->lock);
}

static void *helper_main(void *arg)
{
	struct image_pool *pool = arg;

	pthread_setname_np(pthread_self(), "db-images");
	pthread_mutex_lock(&pool->lock);
	while (!pool->closing) {
		size_t wanted = spares_wanted(pool);

		if (pool->idle_n < wanted) {
			open_spare(pool);
		} else if (pool->idle_n == wanted) {
			(void)helper_sleep(pool, CLOCK_NEVER);
		} else if (!helper_sleep(pool, clock_now_ns() + PATIENCE_NS)) {
			close_superfluous(pool);
		}
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void wake_helper(struct image_pool *pool)
{
	pool->helper_state = HELPER_WORKS;
	pthread_cond_signal(&pool->wake);
}

/* When half of the spares are gone, not at each one that goes. */
static void wake_for_spares(struct image_pool *pool)
{
	if (pool->helper_state != HELPER_WORKS &&
	    pool->idle_n < spares_wanted(pool) / 2) {
		wake_helper(pool);
	}
}

/* When twice as many are idle as wanted, unless it will look by itself. */
static void wake_for_superfluous(struct image_pool *pool)
{
	if (pool->helper_state == HELPER_SLEEPS &&
	    pool->idle_n > 2 * spares_wanted(pool)) {
		wake_helper(pool);
	}
}

/* ---- taking and giving -------------------------------------------------- */

static enum status_code admit(struct image_pool *pool, struct status *reterr)
{
	if (pool->closing) {
		return status_set(reterr, STATUS_UNAVAILABLE,
				  "the database is closing");
	}
	if (pool->in_use == pool->max) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "%zu staged transactions are open",
				  pool->max);
	}
	return STATUS_OK;
}

enum status_code pool_take(struct image_pool *pool, struct image **ret_image,
			   struct status *reterr)
{
	struct image *image;
	enum status_code code;

	pthread_mutex_lock(&pool->lock);
	code = admit(pool, reterr);
	if (code != STATUS_OK) {
		pthread_mutex_unlock(&pool->lock);
		return code;
	}
	pool->in_use++;
	image = pop(pool);
	wake_for_spares(pool);
	pthread_mutex_unlock(&pool->lock);
	if (image == NULL) {
		code = image_open(pool->plan, &image, reterr);
	}
	if (code != STATUS_OK) {
		pthread_mutex_lock(&pool->lock);
		pool->in_use--;
		pthread_cond_signal(&pool->returned);
		pthread_mutex_unlock(&pool->lock);
		return code;
	}
	*ret_image = image;
	return STATUS_OK;
}

void pool_give_back(struct image_pool *pool, struct image *image)
{
	pthread_mutex_lock(&pool->lock);
	push(pool, image);
	pool->in_use--;
	wake_for_superfluous(pool);
	if (pool->closing) {
		pthread_cond_signal(&pool->returned);
	}
	pthread_mutex_unlock(&pool->lock);
}

/* ---- life --------------------------------------------------------------- */

enum status_code pool_init(struct image_pool *pool, struct image_plan *plan,
			   size_t max, size_t keep, struct status *reterr)
{
	int err;

	*pool = (struct image_pool){ .plan = plan, .max = max, .keep = keep };
	pthread_mutex_init(&pool->lock, NULL);
	cond_init(&pool->wake);
	cond_init(&pool->returned);
	err = pthread_create(&pool->helper, NULL, helper_main, pool);
	if (err != 0) {
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED, err,
					"start a thread");
	}
	return STATUS_OK;
}

void pool_shut(struct image_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_signal(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
}

void pool_release(struct image_pool *pool)
{
	pool_shut(pool);
	pthread_join(pool->helper, NULL);
	pthread_mutex_lock(&pool->lock);
	while (pool->in_use > 0) {
		pthread_cond_wait(&pool->returned, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	close_list(pool->idle);
	pthread_cond_destroy(&pool->wake);
	pthread_cond_destroy(&pool->returned);
	pthread_mutex_destroy(&pool->lock);
}
