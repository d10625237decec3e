/* Whether an Accept field asks for JSON (RFC 9110, 12.5.1). */
#include "http/media.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at)) {
		at++;
	}
	return at;
}

static bool is_text(const char *at, size_t size, const char *text)
{
	return size == strlen(text) && strncasecmp(at, text, size) == 0;
}

/* How closely a media range names JSON; 0 when it does not. */
static int closeness(const char *at, size_t size)
{
	if (is_text(at, size, "application/json") ||
	    is_text(at, size, "application/problem+json")) {
		return 2;
	}
	return is_text(at, size, "application/*") ? 1 : 0;
}

/* "q=0", "q=0.0", "q=0.000": any other weight is above zero. */
static bool is_zero_weight(const char *at, const char *end)
{
	at = skip_blanks(at, end);
	if (end - at < 3 || (*at != 'q' && *at != 'Q') || at[1] != '=') {
		return false;
	}
	for (at += 2; at < end && !is_blank(*at); at++) {
		if (*at != '0' && *at != '.') {
			return false;
		}
	}
	return true;
}

static bool is_refused(const char *at, const char *end)
{
	while (at < end) {
		const char *stop = memchr(at, ';', (size_t)(end - at));

		stop = stop != NULL ? stop : end;
		if (is_zero_weight(at, stop)) {
			return true;
		}
		at = stop + 1;
	}
	return false;
}

static void add_range(struct http_accept *accept, const char *at,
		      const char *end)
{
	const char *stop = memchr(at, ';', (size_t)(end - at));
	const char *last = stop != NULL ? stop : end;
	int close;

	while (last > at && is_blank(last[-1])) {
		last--;
	}
	close = closeness(at, (size_t)(last - at));
	if (close == 0 || close < accept->closeness) {
		return;
	}
	if (close > accept->closeness) {
		accept->json = false;
	}
	accept->closeness = close;
	accept->json |= stop == NULL || !is_refused(stop + 1, end);
}

void http_accept_add(struct http_accept *accept, const char *field)
{
	while (*field != '\0') {
		size_t size = strcspn(field, ",");
		const char *end = field + size;

		add_range(accept, skip_blanks(field, end), end);
		field = *end == ',' ? end + 1 : end;
	}
}
