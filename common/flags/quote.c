#include <string.h>

#include "flags/internal.h"

struct quote quote(const char *text)
{
	struct quote q;
	size_t size = strlen(text);
	size_t room = sizeof(q.text) - sizeof("...");
	size_t kept = size <= room ? size : room;

	for (size_t i = 0; i < kept; i++) {
		char c = text[i];

		q.text[i] = (c < ' ' || c > '~') ? '?' : c;
	}
	memcpy(q.text + kept, size <= room ? "" : "...", size <= room ? 1 : 4);
	return q;
}
