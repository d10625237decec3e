#include "stock_order/adaptor/time_text.h"

#include <string.h>

#define US_PER_S    ((int64_t)1000000)
#define S_PER_DAY   ((int64_t)86400)
#define YEAR_0_S    ((int64_t)-62167219200)
#define YEAR_9999_S ((int64_t)253402300799) /* its last second */

/* ---- days --------------------------------------------------------------- */

/*
 * The Gregorian calendar by whole eras of 400 years, with years that begin in
 * March, so that the day that comes and goes is the last.
 */
enum { DAYS_PER_ERA = 146097, DAYS_BEFORE_1970 = 719468 };

struct date {
	int year;
	int month; /* from 1 */
	int day;   /* from 1 */
};

static int64_t days_of(struct date date)
{
	int64_t year = date.year - (date.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - DAYS_BEFORE_1970;
}

static struct date date_of(int64_t days)
{
	int64_t since = days + DAYS_BEFORE_1970;
	int64_t era = (since >= 0 ? since : since - (DAYS_PER_ERA - 1)) /
		      DAYS_PER_ERA;
	int64_t day_of_era = since - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 +
			       day_of_era / 36524 - day_of_era / 146096) /
			      365;
	int64_t day_of_year =
		day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	struct date date = {
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
	};

	date.year = (int)(year_of_era + era * 400 + (date.month <= 2));
	return date;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30,
				    31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* ---- writing ------------------------------------------------------------ */

static char *put_number(char *at, int64_t number, int digits)
{
	for (int i = digits - 1; i >= 0; i--) {
		at[i] = (char)('0' + number % 10);
		number /= 10;
	}
	return at + digits;
}

static char *put_date(char *at, int64_t days, char separator)
{
	struct date date = date_of(days);

	at = put_number(at, date.year, 4);
	*at++ = '-';
	at = put_number(at, date.month, 2);
	*at++ = '-';
	at = put_number(at, date.day, 2);
	*at++ = separator;
	return at;
}

static char *put_time(char *at, int64_t second_of_day, int64_t us)
{
	at = put_number(at, second_of_day / 3600, 2);
	*at++ = ':';
	at = put_number(at, second_of_day / 60 % 60, 2);
	*at++ = ':';
	at = put_number(at, second_of_day % 60, 2);
	*at++ = '.';
	return put_number(at, us, 6);
}

static size_t write(int64_t time_us, char separator, const char *zone,
		    char ret_text[TIME_TEXT_SIZE])
{
	int64_t min_us = YEAR_0_S * US_PER_S;
	int64_t max_us = YEAR_9999_S * US_PER_S + (US_PER_S - 1);
	size_t zone_size = strlen(zone) + 1;
	int64_t within_us = time_us < min_us   ? min_us
			    : time_us > max_us ? max_us
					       : time_us;
	/* Counted from year 0 on nothing is negative. */
	int64_t since_us = within_us - min_us;
	int64_t since_s = since_us / US_PER_S;
	char *at = ret_text;

	at = put_date(at,
		      (since_s + YEAR_0_S - since_s % S_PER_DAY) / S_PER_DAY,
		      separator);
	at = put_time(at, since_s % S_PER_DAY, since_us % US_PER_S);
	memcpy(at, zone, zone_size);
	return (size_t)(at - ret_text) + zone_size - 1;
}

size_t time_text_sql(int64_t time_us, char ret_text[TIME_TEXT_SIZE])
{
	return write(time_us, ' ', "+00:00", ret_text);
}

size_t time_text_rfc3339(int64_t time_us, char ret_text[TIME_TEXT_SIZE])
{
	return write(time_us, 'T', "Z", ret_text);
}

/* ---- reading ------------------------------------------------------------ */

struct reader {
	const char *at, *end;
};

static bool take_char(struct reader *reader, char c)
{
	if (reader->at == reader->end || *reader->at != c) {
		return false;
	}
	reader->at++;
	return true;
}

static bool at_digit(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at >= '0' &&
	       *reader->at <= '9';
}

/* Exactly so many digits, of a number from @min to @max. */
static bool take_number(struct reader *reader, int digits, int min, int max,
			int *ret)
{
	int number = 0;

	for (int i = 0; i < digits; i++) {
		if (!at_digit(reader)) {
			return false;
		}
		number = number * 10 + (*reader->at++ - '0');
	}
	*ret = number;
	return number >= min && number <= max;
}

static bool take_date(struct reader *reader, struct date *ret)
{
	return take_number(reader, 4, 0, 9999, &ret->year) &&
	       take_char(reader, '-') &&
	       take_number(reader, 2, 1, 12, &ret->month) &&
	       take_char(reader, '-') &&
	       take_number(reader, 2, 1, days_of_month(ret->year, ret->month),
			   &ret->day);
}

static bool take_time(struct reader *reader, int64_t *ret_seconds)
{
	int hour;
	int minute;
	int second;

	if (!take_number(reader, 2, 0, 23, &hour) || !take_char(reader, ':') ||
	    !take_number(reader, 2, 0, 59, &minute) ||
	    !take_char(reader, ':') ||
	    !take_number(reader, 2, 0, 59, &second)) {
		return false;
	}
	*ret_seconds = (int64_t)hour * 3600 + minute * 60 + second;
	return true;
}

/* No fraction is 0. */
static bool take_fraction(struct reader *reader, int64_t *ret_us)
{
	int64_t us = 0;
	int digits = 0;

	if (take_char(reader, '.')) {
		for (; at_digit(reader) && digits < 9; digits++) {
			int digit = *reader->at++ - '0';

			us = digits < 6 ? us * 10 + digit : us;
		}
		if (digits == 0) {
			return false;
		}
	}
	for (; digits < 6; digits++) {
		us *= 10;
	}
	*ret_us = us;
	return true;
}

static bool take_zone(struct reader *reader, int64_t *ret_seconds)
{
	bool west = false;
	int hours;
	int minutes;

	if (take_char(reader, 'Z')) {
		*ret_seconds = 0;
		return true;
	}
	if (!take_char(reader, '+')) {
		west = true;
		if (!take_char(reader, '-')) {
			return false;
		}
	}
	if (!take_number(reader, 2, 0, 23, &hours) || !take_char(reader, ':') ||
	    !take_number(reader, 2, 0, 59, &minutes)) {
		return false;
	}
	*ret_seconds = ((int64_t)hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

bool time_text_parse(const char *text, size_t size, int64_t *ret_time_us)
{
	struct reader reader = { .at = text, .end = text + size };
	struct date date;
	int64_t seconds;
	int64_t us;
	int64_t zone;

	if (!take_date(&reader, &date) ||
	    (!take_char(&reader, ' ') && !take_char(&reader, 'T')) ||
	    !take_time(&reader, &seconds) || !take_fraction(&reader, &us) ||
	    !take_zone(&reader, &zone) || reader.at != reader.end) {
		return false;
	}
	*ret_time_us =
		(days_of(date) * S_PER_DAY + seconds - zone) * US_PER_S + us;
	return true;
}
