#include "failpoint/failpoint.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint/points.h"

/* ---- all of them -------------------------------------------------------- */

/* The linker makes these two, unless there is no point at all. */
extern struct failpoint *__start_failpoints[] __attribute__((weak));
extern struct failpoint *__stop_failpoints[] __attribute__((weak));

static size_t count(void)
{
	return (size_t)(__stop_failpoints - __start_failpoints);
}

static int by_name(const void *a, const void *b)
{
	const struct failpoint *const *first = a;
	const struct failpoint *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

size_t failpoint_sort(void)
{
	size_t n = count();

	if (n > 0) {
		qsort(__start_failpoints, n, sizeof(__start_failpoints[0]),
		      by_name);
	}
	for (size_t i = 1; i < n; i++) {
		if (by_name(&__start_failpoints[i - 1],
			    &__start_failpoints[i]) == 0) {
			fprintf(stderr, "two failpoints are called '%s'\n",
				failpoint_at(i)->name);
			abort();
		}
	}
	return n;
}

struct failpoint *failpoint_at(size_t index)
{
	return __start_failpoints[index];
}

struct failpoint_cell *failpoint_cell(const char *name)
{
	for (size_t i = 0; i < count(); i++) {
		if (strcmp(failpoint_at(i)->name, name) == 0) {
			return failpoint_at(i)->cell;
		}
	}
	return NULL;
}

/* ---- orders ------------------------------------------------------------- */

static enum status_code arm(const char *name, const char *text,
			    struct status *reterr)
{
	struct failpoint_cell *cell = failpoint_cell(name);
	struct failpoint_order order;

	if (cell == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "there is no point '%s'", name);
	}
	if (failpoint_order_parse(text, &order, reterr) != STATUS_OK) {
		return status_wrap(reterr, "%s", name);
	}
	if (order.action == FAILPOINT_FAIL && !cell->answers) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s: this point can't fail", name);
	}
	failpoint_cell_arm(cell, &order);
	return STATUS_OK;
}

/* "name=order" of @size bytes. */
static enum status_code arm_one(const char *text, size_t size,
				struct status *reterr)
{
	char copy[2 * FAILPOINT_NAME_SIZE];
	char *equals;

	if (size < sizeof(copy)) {
		memcpy(copy, text, size);
		copy[size] = '\0';
		equals = strchr(copy, '=');
		if (equals != NULL) {
			*equals = '\0';
			return arm(copy, equals + 1, reterr);
		}
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT,
			  "'%.*s' is not of the form point=order", (int)size,
			  text);
}

enum status_code failpoint_arm(const char *orders, struct status *reterr)
{
	const char *at = orders;

	for (;;) {
		size_t size = strcspn(at, ",");

		if (arm_one(at, size, reterr) != STATUS_OK) {
			return reterr->code;
		}
		if (at[size] == '\0') {
			return STATUS_OK;
		}
		at += size + 1;
	}
}

__attribute__((constructor)) static void before_main(void)
{
	failpoint_start();
}

/* ---- a pass ------------------------------------------------------------- */

static uint64_t after_a_pass(struct failpoint_order order)
{
	if (order.nth > 1) {
		order.nth--;
		return failpoint_order_pack(&order);
	}
	return order.onwards ? failpoint_order_pack(&order) : 0;
}

/* Whether this pass is the one of the order, which it is told then. */
static bool is_struck(struct failpoint_cell *cell,
		      struct failpoint_order *ret_order)
{
	uint64_t word = atomic_load(&cell->order);
	struct failpoint_order order;

	do {
		order = failpoint_order_unpack(word);
		if (order.action == FAILPOINT_OFF) {
			return false;
		}
	} while (!atomic_compare_exchange_weak(&cell->order, &word,
					       after_a_pass(order)));
	*ret_order = order;
	return order.nth <= 1;
}

/* To this thread, so that it does not come back before it is obeyed. */
static void signal_self(int signal_no)
{
	(void)raise(signal_no);
}

static int strike(struct failpoint_cell *cell, struct failpoint_order order,
		  int fallback)
{
	uint32_t released = atomic_load(&cell->released);

	failpoint_cell_strike(cell);
	switch (order.action) {
	case FAILPOINT_KILL:
		signal_self(SIGKILL);
		break;
	case FAILPOINT_STOP:
		signal_self(SIGSTOP);
		break;
	case FAILPOINT_STALL:
		failpoint_cell_stay(cell, released, order.value);
		break;
	case FAILPOINT_FAIL:
		return order.value != 0 ? order.value : fallback;
	case FAILPOINT_OFF:
	case FAILPOINT_ACTION_NR:
	default:
		break;
	}
	return 0;
}

int failpoint_pass(struct failpoint *point, int fallback)
{
	struct failpoint_cell *cell = point->cell;
	struct failpoint_order order;

	atomic_fetch_add_explicit(&cell->passes, 1, memory_order_relaxed);
	if (atomic_load_explicit(&cell->order, memory_order_relaxed) == 0 ||
	    !is_struck(cell, &order)) {
		return 0;
	}
	return strike(cell, order, fallback);
}
