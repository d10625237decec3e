#include "echo/fingerprint.h"

#include <stdint.h>
#include <stdio.h>

/* FNV-1a of 128 bits; http://www.isthe.com/chongo/tech/comp/fnv/ */
__extension__ typedef unsigned __int128 wide;

static const uint64_t basis[] = { UINT64_C(0x6c62272e07bb0142),
				  UINT64_C(0x62b821756295c58d) };
static const uint64_t prime[] = { UINT64_C(0x0000000001000000),
				  UINT64_C(0x000000000000013b) };

static wide wide_of(const uint64_t halves[2])
{
	return (wide)halves[0] << 64 | halves[1];
}

void fingerprint(const char *const *parts, char ret[ECHO_FINGERPRINT_SIZE])
{
	wide hash = wide_of(basis);

	for (; *parts != NULL; parts++) {
		const char *at = *parts;

		/* With its NUL: ("a", "bc") is not ("ab", "c"). */
		do {
			hash = (hash ^ (unsigned char)*at) * wide_of(prime);
		} while (*at++ != '\0');
	}
	snprintf(ret, ECHO_FINGERPRINT_SIZE, "%016llx%016llx",
		 (unsigned long long)(hash >> 64), (unsigned long long)hash);
}
