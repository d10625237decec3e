/*
 * Accept fields, a line each: JSON is found only where its name stands, and
 * fields count alike one by one or joined by commas (RFC 9110, 5.3).
 */
#include "http/media.h"

#include <string.h>
#include <strings.h>

#include "fuzz.h"

/* Whether the name is anywhere, as a text. */
static bool mentions(const char *text, const char *name)
{
	for (; *text != '\0'; text++) {
		if (strncasecmp(text, name, strlen(name)) == 0) {
			return true;
		}
	}
	return false;
}

static void check(const struct http_accept *accept, const char *joined)
{
	bool wide = mentions(joined, "application/*");
	bool named = mentions(joined, "application/json") ||
		     mentions(joined, "application/problem+json");

	MUST(accept->closeness >= 0 && accept->closeness <= 2);
	MUST(!accept->json || accept->closeness > 0);
	MUST(accept->closeness != 1 || wide);
	MUST(accept->closeness != 2 || named);
}

/* Each line by itself, in memory of its exact size. */
static void add_line(struct http_accept *accept, const char *line, size_t size)
{
	char *field = strndup(line, size);

	MUST(field != NULL);
	http_accept_add(accept, field);
	free(field);
}

/* Makes commas of the line ends of @text. */
static struct http_accept add_lines(char *text)
{
	struct http_accept accept = { 0 };

	for (;;) {
		size_t size = strcspn(text, "\n");
		int before = accept.closeness;

		add_line(&accept, text, size);
		MUST(accept.closeness >= before);
		if (text[size] == '\0') {
			return accept;
		}
		text[size] = ',';
		text += size + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct http_accept apart, joined = { 0 };

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	apart = add_lines(text);
	http_accept_add(&joined, text);
	MUST(apart.json == joined.json);
	MUST(apart.closeness == joined.closeness);
	check(&joined, text);
	free(text);
	return 0;
}
