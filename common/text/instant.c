#include "text/instant.h"

#include <stdio.h>
#include <time.h>

enum { YEAR_MIN = 0, YEAR_MAX = 9999 };

const char *instant_format(int64_t unix_ms, char ret[INSTANT_TEXT_SIZE])
{
	int ms = (int)(unix_ms % 1000);
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm tm;

	if (ms < 0) { /* before 1970 */
		ms += 1000;
		seconds--;
	}
	if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year + 1900 < YEAR_MIN ||
	    tm.tm_year + 1900 > YEAR_MAX) {
		snprintf(ret, INSTANT_TEXT_SIZE, "?");
		return ret;
	}
	snprintf(ret, INSTANT_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000,
		 (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100,
		 (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100, (unsigned)ms % 1000);
	return ret;
}
