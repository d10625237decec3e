#include "twopc/id.h"

#include <stdlib.h>
#include <string.h>

#define MASK_48 ((UINT64_C(1) << 48) - 1)

static void put_hex(char *to, uint64_t value, int digits)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = digits - 1; i >= 0; i--) {
		to[i] = hex[value & 15];
		value >>= 4;
	}
}

void twopc_stem_format(uint64_t unix_ms, uint64_t random,
		       char ret_stem[TWOPC_STEM_SIZE])
{
	put_hex(ret_stem, unix_ms & MASK_48, 12);
	ret_stem[12] = '-';
	put_hex(ret_stem + 13, random, 16);
	ret_stem[29] = '\0';
}

uint64_t twopc_stem_ms(const char *stem)
{
	char digits[13];

	if (strnlen(stem, 13) < 13 || stem[12] != '-') {
		return 0;
	}
	memcpy(digits, stem, 12);
	digits[12] = '\0';
	if (strspn(digits, "0123456789abcdef") != 12) {
		return 0;
	}
	return strtoull(digits, NULL, 16);
}

void twopc_stem_next(const char *earlier, uint64_t unix_ms, uint64_t random,
		     char ret_stem[TWOPC_STEM_SIZE])
{
	uint64_t least_ms = twopc_stem_ms(earlier) + 1;

	twopc_stem_format(unix_ms > least_ms ? unix_ms : least_ms, random,
			  ret_stem);
}

bool twopc_stem_is_of(const char *stem, const char *id)
{
	return strncmp(stem, id, TWOPC_STEM_SIZE - 1) == 0;
}

void twopc_id_format(const char *stem, uint64_t count,
		     char ret_id[TWOPC_ID_SIZE])
{
	memcpy(ret_id, stem, TWOPC_STEM_SIZE - 1);
	ret_id[TWOPC_STEM_SIZE - 1] = '-';
	put_hex(ret_id + TWOPC_STEM_SIZE, count & MASK_48, 12);
	ret_id[TWOPC_ID_SIZE - 1] = '\0';
}

void twopc_uuid_format(const uint8_t random[16], char ret[TWOPC_UUID_SIZE])
{
	static const int groups[] = { 4, 2, 2, 2, 6 };
	char *to = ret;
	int at = 0;

	for (int group = 0; group < 5; group++) {
		if (group > 0) {
			*to++ = '-';
		}
		for (int i = 0; i < groups[group]; i++, at++, to += 2) {
			put_hex(to, random[at], 2);
		}
	}
	*to = '\0';
	ret[14] = '4';
	put_hex(ret + 19, 8U | (random[8] >> 4 & 3U), 1);
}

bool twopc_name_is_valid(const char *name)
{
	size_t size = strnlen(name, TWOPC_NAME_SIZE_MAX + 1);

	if (size == 0 || size > TWOPC_NAME_SIZE_MAX) {
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		if (name[i] <= ' ' || name[i] > '~') {
			return false;
		}
	}
	return true;
}
