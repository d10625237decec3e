#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flags/internal.h"

static enum status_code set_bool(const struct flag *flag, const char *text,
				 struct status *reterr)
{
	static const char *const yes[] = {
		"1", "t", "T", "true", "TRUE", "True"
	};
	static const char *const no[] = { "0",	   "f",	    "F",
					  "false", "FALSE", "False" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*(bool *)flag->value = strcmp(text, yes[i]) == 0;
			return STATUS_OK;
		}
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT,
			  "'%s' is neither true nor false", quote(text).text);
}

static bool parse_uint(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (*text == '\0') {
		return false;
	}
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' ||
		    __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'),
					   &value)) {
			return false;
		}
	}
	*ret = value;
	return true;
}

static enum status_code set_uint(const struct flag *flag, const char *text,
				 struct status *reterr)
{
	uint64_t value;

	if (!parse_uint(text, &value) || value < flag->min ||
	    value > flag->max) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not a number from %" PRIu64
				  " to %" PRIu64,
				  quote(text).text, flag->min, flag->max);
	}
	*(uint64_t *)flag->value = value;
	return STATUS_OK;
}

/*
 * strtod() takes more than is wanted: blanks, signs, hexadecimal, names of what
 * is no number. The program's locale is "C", which has the point.
 */
static bool parse_decimal(const char *text, double *ret)
{
	char *end;
	double value;

	if (strspn(text, "0123456789.eE+-") != strlen(text) ||
	    strchr("0123456789.", *text) == NULL || *text == '\0') {
		return false;
	}
	value = strtod(text, &end);
	if (*end != '\0' || !isfinite(value)) {
		return false;
	}
	*ret = value;
	return true;
}

static enum status_code set_decimal(const struct flag *flag, const char *text,
				    struct status *reterr)
{
	double value;

	if (!parse_decimal(text, &value)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not a decimal number such as 150.75",
				  quote(text).text);
	}
	*(double *)flag->value = value;
	return STATUS_OK;
}

static enum status_code duration_out_of_range(const struct flag *flag,
					      const char *text,
					      struct status *reterr)
{
	char min[DURATION_TEXT_SIZE];
	char max[DURATION_TEXT_SIZE];

	duration_format((int64_t)flag->min, min, sizeof(min));
	duration_format((int64_t)flag->max, max, sizeof(max));
	if (flag->max == 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is less than %s", quote(text).text,
				  min);
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT,
			  "'%s' is not a duration from %s to %s",
			  quote(text).text, min, max);
}

static enum status_code set_duration(const struct flag *flag, const char *text,
				     struct status *reterr)
{
	int64_t ns;
	enum status_code code = duration_parse(text, &ns, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	if ((uint64_t)ns < flag->min ||
	    (flag->max != 0 && (uint64_t)ns > flag->max)) {
		return duration_out_of_range(flag, text, reterr);
	}
	*(int64_t *)flag->value = ns;
	return STATUS_OK;
}

static enum status_code set_choice(const struct flag *flag, const char *text,
				   struct status *reterr)
{
	char list[256] = "";

	for (int i = 0; flag->choices[i] != NULL; i++) {
		size_t used = strlen(list);

		if (strcmp(flag->choices[i], text) == 0) {
			*(int *)flag->value = i;
			return STATUS_OK;
		}
		(void)snprintf(list + used, sizeof(list) - used, "%s%s",
			       i == 0 ? "" : ", ", flag->choices[i]);
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT,
			  "'%s' is none of: %s", quote(text).text, list);
}

enum status_code flag_set(const struct flag *flag, const char *text,
			  struct status *reterr)
{
	switch (flag->type) {
	case FLAG_TYPE_BOOL:
		return set_bool(flag, text, reterr);
	case FLAG_TYPE_STRING:
		*(const char **)flag->value = text;
		return STATUS_OK;
	case FLAG_TYPE_UINT:
		return set_uint(flag, text, reterr);
	case FLAG_TYPE_DECIMAL:
		return set_decimal(flag, text, reterr);
	case FLAG_TYPE_DURATION:
		return set_duration(flag, text, reterr);
	case FLAG_TYPE_CHOICE:
		return set_choice(flag, text, reterr);
	default:
		fprintf(stderr, "flags: -%s has no type\n", flag->name);
		abort();
	}
}
