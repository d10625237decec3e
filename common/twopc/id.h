/*
 * What transactions are called, and by whom.
 *
 * A coordinator is known by a UUID that was made with its database: one whose
 * database was deleted is another coordinator, and whatever belonged to the old
 * one is not its business. A transaction is known by (coordinator, id), and an
 * id is never used twice:
 *
 *	01935d0a9c41-5f2ac04e91b3d877-00000000002a
 *	|            |                |
 *	|            |                counts the transactions of this start
 *	|            random, made at each start
 *	milliseconds of the start, raised above those of all earlier starts
 *
 * The first two are the start's stem. Ids of one coordinator therefore sort (as
 * bytes) in the order in which they were given out, across restarts and clocks
 * that were set back: "every id below this one is over" is one comparison.
 *
 * A participant takes ids as they come: any 1 to TWOPC_NAME_SIZE_MAX printable
 * ASCII characters, no blanks.
 */
#ifndef RESCIND_TWOPC_ID_H
#define RESCIND_TWOPC_ID_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TWOPC_STEM_SIZE = 30,	  /* "<12 hex>-<16 hex>" and NUL */
	TWOPC_ID_SIZE = 43,	  /* "<stem>-<12 hex>" and NUL */
	TWOPC_UUID_SIZE = 37,	  /* a coordinator that is ours, and NUL */
	TWOPC_NAME_SIZE_MAX = 64, /* bytes of anybody's id or coordinator */
};

/* @unix_ms of 48 bits, @random as it was drawn. */
void twopc_stem_format(uint64_t unix_ms, uint64_t random,
		       char ret_stem[TWOPC_STEM_SIZE]);
/* That of a start at @unix_ms, above @earlier ("" for none) wherever the clock
 * stands. */
void twopc_stem_next(const char *earlier, uint64_t unix_ms, uint64_t random,
		     char ret_stem[TWOPC_STEM_SIZE]);
/* Whether @id was given out under @stem. */
bool twopc_stem_is_of(const char *stem, const char *id);
/* The milliseconds of a stem or an id; 0 for what is none. */
uint64_t twopc_stem_ms(const char *stem);
/* The @count'th of @stem; @count has 48 bits. */
void twopc_id_format(const char *stem, uint64_t count,
		     char ret_id[TWOPC_ID_SIZE]);
/* Version 4, of 16 random bytes. */
void twopc_uuid_format(const uint8_t random[16], char ret[TWOPC_UUID_SIZE]);

/* Whether it can be the id of a transaction, or a coordinator's. */
bool twopc_name_is_valid(const char *name);

#endif
