/*
 * Where a program's output goes, without ever blocking the loop: a reader that
 * does not read holds up who writes, but neither signals nor deadlines.
 *
 *	outlet_put(out, text, size);
 *	if (!outlet_is_drained(out)) {
 *		return; // on_drained follows: then write on
 *	}
 *	if (out->failure.code != STATUS_OK) ...
 *
 * It writes what the other end has room for (to a pipe: up to the size that it
 * takes at one go) and keeps the rest. It holds whatever it is given, so its
 * bound is its user's: who waits for on_drained has one piece in it.
 *
 * Threads: the loop's.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_OUTLET_H
#define RESCIND_STOCK_ORDER_CLIENT_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "loop/loop.h"
#include "status/status.h"

struct outlet {
	/* OK while it works, else why nothing can be written any more (an
	 * UNAVAILABLE with errno's text): the reader has gone, the disk is
	 * full. Read only. */
	struct status failure;

	struct loop *loop;
	struct loop_watch watch;
	bool watching;
	char *text; /* from begin to end is still to be written */
	size_t begin;
	size_t end;
	size_t capacity;
	void (*on_drained)(void *arg);
	void *arg;
};

/*
 * @fd stays the caller's. @on_drained comes each time when that is written, or
 * can't be any more, which outlet_put() could not write at once; never inside
 * outlet_put().
 */
void outlet_open(struct outlet *outlet, struct loop *loop, int fd,
		 void (*on_drained)(void *arg), void *arg);
/* What is not yet written is forgotten. Idempotent; fine on a zeroed one. */
void outlet_close(struct outlet *outlet);

/* Copied. After a failure it does nothing. */
void outlet_put(struct outlet *outlet, const char *text, size_t size);
/* Everything is written, or nothing can be any more. */
bool outlet_is_drained(const struct outlet *outlet);

/*
 * See that 0, 1 and 2 are open: else the next socket gets such a number, and
 * what is said goes there. What was closed can't be written to afterwards
 * either. First in main.
 */
void outlet_guard_standard(void);

#endif
