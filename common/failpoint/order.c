#include "failpoint/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- as a word ---------------------------------------------------------- */

/* value, 32 bits; nth, 24; onwards, 1; action, 7 */
enum { NTH_SHIFT = 8, ONWARDS_SHIFT = 7, VALUE_SHIFT = 32, ACTION_MASK = 0x7F };

uint64_t failpoint_order_pack(const struct failpoint_order *order)
{
	if (order->action == FAILPOINT_OFF) {
		return 0;
	}
	return (uint64_t)(uint32_t)order->value << VALUE_SHIFT |
	       (uint64_t)(order->nth & FAILPOINT_NTH_MAX) << NTH_SHIFT |
	       (uint64_t)order->onwards << ONWARDS_SHIFT |
	       (uint64_t)order->action;
}

struct failpoint_order failpoint_order_unpack(uint64_t word)
{
	return (struct failpoint_order){
		.action = (enum failpoint_action)(word & ACTION_MASK),
		.onwards = (word >> ONWARDS_SHIFT & 1) != 0,
		.nth = (uint32_t)(word >> NTH_SHIFT) & FAILPOINT_NTH_MAX,
		.value = (int32_t)(uint32_t)(word >> VALUE_SHIFT),
	};
}

/* ---- as a text ---------------------------------------------------------- */

static const struct {
	const char *name;
	bool takes_value;
	const char *unit;
} actions[FAILPOINT_ACTION_NR] = {
	[FAILPOINT_OFF] = { "off", false, "" },
	[FAILPOINT_KILL] = { "kill", false, "" },
	[FAILPOINT_STOP] = { "stop", false, "" },
	[FAILPOINT_STALL] = { "stall", true, "ms" },
	[FAILPOINT_FAIL] = { "fail", true, "" },
};

/* The action that @*at begins with, which moves behind it. */
static bool take_action(const char **at, enum failpoint_action *ret_action)
{
	size_t size = strcspn(*at, ":@");

	for (int i = 0; i < FAILPOINT_ACTION_NR; i++) {
		if (strlen(actions[i].name) == size &&
		    memcmp(actions[i].name, *at, size) == 0) {
			*ret_action = (enum failpoint_action)i;
			*at += size;
			return true;
		}
	}
	return false;
}

/* Digits, of a number from 1 to @max. */
static bool take_number(const char **at, long max, long *ret_number)
{
	char *end;

	if (**at < '0' || **at > '9') {
		return false;
	}
	errno = 0;
	*ret_number = strtol(*at, &end, 10);
	*at = end;
	return errno == 0 && *ret_number >= 1 && *ret_number <= max;
}

static bool take_value(const char **at, struct failpoint_order *order)
{
	const char *unit = actions[order->action].unit;
	long value;

	if (**at != ':') {
		return true;
	}
	*at += 1;
	if (!actions[order->action].takes_value ||
	    !take_number(at, INT32_MAX, &value) ||
	    strncmp(*at, unit, strlen(unit)) != 0) {
		return false;
	}
	*at += strlen(unit);
	order->value = (int32_t)value;
	return true;
}

static bool take_nth(const char **at, struct failpoint_order *order)
{
	long nth;

	if (**at != '@') {
		return true;
	}
	*at += 1;
	if (order->action == FAILPOINT_OFF ||
	    !take_number(at, FAILPOINT_NTH_MAX, &nth)) {
		return false;
	}
	order->nth = (uint32_t)nth;
	order->onwards = **at == '+';
	*at += order->onwards;
	return true;
}

enum status_code failpoint_order_parse(const char *text,
				       struct failpoint_order *ret_order,
				       struct status *reterr)
{
	struct failpoint_order order = { .nth = 1 };
	const char *at = text;

	if (!take_action(&at, &order.action)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is none of kill, stop, stall, fail and "
				  "off",
				  text);
	}
	if (!take_value(&at, &order) || !take_nth(&at, &order) || *at != '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not of the form "
				  "action[:value][@pass[+]]",
				  text);
	}
	*ret_order = order;
	return STATUS_OK;
}
