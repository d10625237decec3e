#include "stock_order/adaptor/random_ids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	UUID_BYTES = 16,
	/* The kernel gives up to 256 bytes at one go, whole or not at all. */
	STORE_BYTES = 256,
};

/* Random bytes not yet used, from @at on. */
struct store {
	size_t at;
	uint8_t bytes[STORE_BYTES];
};

static void refill(struct store *store)
{
	ssize_t got;

	do {
		got = getrandom(store->bytes, STORE_BYTES, 0);
	} while (got < 0 && errno == EINTR);
	if (got != STORE_BYTES) {
		perror("bug: no random numbers");
		abort();
	}
	store->at = 0;
}

static void take(uint8_t ret[UUID_BYTES])
{
	static _Thread_local struct store store = { .at = STORE_BYTES };

	if (store.at == STORE_BYTES) {
		refill(&store);
	}
	memcpy(ret, store.bytes + store.at, UUID_BYTES);
	store.at += UUID_BYTES;
}

/* 8-4-4-4-12 hexadecimal digits. */
static void write_text(const uint8_t uuid[UUID_BYTES],
		       char ret_id[ORDER_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret_id;

	for (int i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10) {
			*at++ = '-';
		}
		*at++ = digits[uuid[i] >> 4];
		*at++ = digits[uuid[i] & 15];
	}
	*at = '\0';
}

static void make(struct order_ids *ids, char ret_id[ORDER_ID_SIZE])
{
	uint8_t uuid[UUID_BYTES];

	(void)ids;
	take(uuid);
	uuid[6] = (uint8_t)((uuid[6] & 0x0F) | 0x40); /* version 4 */
	uuid[8] = (uint8_t)((uuid[8] & 0x3F) | 0x80); /* its variant */
	write_text(uuid, ret_id);
}

struct order_ids *random_ids(void)
{
	static struct order_ids random = { .make = make };

	return &random;
}
