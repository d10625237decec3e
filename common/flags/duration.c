#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flags/internal.h"

#define NS_PER_SECOND UINT64_C(1000000000)

struct unit {
	const char *name;
	uint64_t ns;
};

/* Large to small: the order in which they may be written. */
static const struct unit units[] = {
	{ "h", 3600 * NS_PER_SECOND },
	{ "m", 60 * NS_PER_SECOND },
	{ "s", NS_PER_SECOND },
	{ "ms", 1000000 },
	{ "us", 1000 },
	{ "\xC2\xB5s", 1000 }, /* micro sign */
	{ "\xCE\xBCs", 1000 }, /* Greek mu */
	{ "ns", 1 },
};
enum { UNIT_NR = sizeof(units) / sizeof(units[0]) };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits at *at; false when there are none or they do not fit. */
static bool take_whole(const char **at, uint64_t *ret)
{
	uint64_t value = 0;
	const char *p = *at;

	for (; is_digit(*p); p++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'),
					   &value)) {
			return false;
		}
	}
	if (p == *at) {
		return false;
	}
	*at = p;
	*ret = value;
	return true;
}

/* What follows a dot, as numerator and power of ten; 18 digits count. */
static bool take_fraction(const char **at, uint64_t *ret_num,
			  uint64_t *ret_scale)
{
	const char *p = *at;

	*ret_num = 0;
	*ret_scale = 1;
	if (*p != '.') {
		return true;
	}
	p++;
	if (!is_digit(*p)) {
		return false;
	}
	for (int i = 0; is_digit(*p); p++, i++) {
		if (i < 18) {
			*ret_num = *ret_num * 10 + (uint64_t)(*p - '0');
			*ret_scale *= 10;
		}
	}
	*at = p;
	return true;
}

/* The unit at *at, which is all up to the next digit; NULL: none such. */
static const struct unit *take_unit(const char **at)
{
	size_t size = strcspn(*at, "0123456789.");

	for (int i = 0; i < UNIT_NR; i++) {
		if (strlen(units[i].name) == size &&
		    memcmp(units[i].name, *at, size) == 0) {
			*at += size;
			return &units[i];
		}
	}
	return NULL;
}

/* One "1.5h"; *limit is the unit that this one must be smaller than. */
static bool take_term(const char **at, uint64_t *limit, uint64_t *sum)
{
	uint64_t whole;
	uint64_t num;
	uint64_t scale;
	const struct unit *unit;

	if (!take_whole(at, &whole) || !take_fraction(at, &num, &scale)) {
		return false;
	}
	unit = take_unit(at);
	if (unit == NULL || unit->ns >= *limit) {
		return false;
	}
	*limit = unit->ns;
	num = (uint64_t)((unsigned __int128)num * unit->ns / scale);
	return !__builtin_mul_overflow(whole, unit->ns, &whole) &&
	       !__builtin_add_overflow(*sum, whole, sum) &&
	       !__builtin_add_overflow(*sum, num, sum) && *sum <= INT64_MAX;
}

static bool parse(const char *text, uint64_t *ret_ns)
{
	uint64_t limit = UINT64_MAX;

	*ret_ns = 0;
	if (strcmp(text, "0") == 0) {
		return true;
	}
	do {
		if (!take_term(&text, &limit, ret_ns)) {
			return false;
		}
	} while (*text != '\0');
	return true;
}

enum status_code duration_parse(const char *text, int64_t *ret_ns,
				struct status *reterr)
{
	uint64_t ns;

	if (!parse(text, &ns)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not a duration such as 500ms, 3s or "
				  "1m30s",
				  quote(text).text);
	}
	*ret_ns = (int64_t)ns;
	return STATUS_OK;
}

/* @ns in @unit with as many decimals as are needed: "1.5s". */
static int format_decimal(char *buf, size_t size, uint64_t ns, uint64_t unit,
			  const char *name)
{
	uint64_t rest = ns % unit;
	int decimals = 0;

	if (rest == 0) {
		return snprintf(buf, size, "%" PRIu64 "%s", ns / unit, name);
	}
	for (uint64_t u = unit; u > 1; u /= 10) {
		decimals++;
	}
	while (rest % 10 == 0) {
		rest /= 10;
		decimals--;
	}
	return snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64 "%s", ns / unit,
			decimals, rest, name);
}

static void format_long(char *buf, size_t size, uint64_t ns)
{
	uint64_t hours = ns / (3600 * NS_PER_SECOND);
	uint64_t minutes = ns / (60 * NS_PER_SECOND) % 60;
	uint64_t rest = ns % (60 * NS_PER_SECOND);
	int at = 0;

	if (hours > 0) {
		at += snprintf(buf + at, size - (size_t)at, "%" PRIu64 "h",
			       hours);
	}
	if (minutes > 0) {
		at += snprintf(buf + at, size - (size_t)at, "%" PRIu64 "m",
			       minutes);
	}
	if (rest > 0 || at == 0) {
		(void)format_decimal(buf + at, size - (size_t)at, rest,
				     NS_PER_SECOND, "s");
	}
}

void duration_format(int64_t ns, char *buf, size_t size)
{
	char text[DURATION_TEXT_SIZE];
	uint64_t abs = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (abs == 0 || abs >= NS_PER_SECOND) {
		format_long(text, sizeof(text), abs);
	} else if (abs >= 1000000) {
		(void)format_decimal(text, sizeof(text), abs, 1000000, "ms");
	} else if (abs >= 1000) {
		(void)format_decimal(text, sizeof(text), abs, 1000, "us");
	} else {
		(void)format_decimal(text, sizeof(text), abs, 1, "ns");
	}
	(void)snprintf(buf, size, "%s%s", ns < 0 ? "-" : "", text);
}
