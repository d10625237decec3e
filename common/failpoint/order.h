/*
 * What a failpoint is told to do, as a text and as one word that can be changed
 * at once.
 *
 *	kill@3		at the 3rd pass from now, as kill -9 does it
 *	stop		at the next pass, as SIGSTOP does it; SIGCONT goes on
 *	stall:50ms@2+	at the 2nd and every later one, hold the thread up
 *	stall		hold it up until it is released
 *	fail:13@2	have the point answer 13
 *	fail		have it answer what a failure there is
 *	off		nothing any more
 */
#ifndef RESCIND_FAILPOINT_ORDER_H
#define RESCIND_FAILPOINT_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "status/status.h"

enum failpoint_action {
	FAILPOINT_OFF,
	FAILPOINT_KILL,
	FAILPOINT_STOP,
	FAILPOINT_STALL,
	FAILPOINT_FAIL,
	FAILPOINT_ACTION_NR
};

enum { FAILPOINT_NTH_MAX = (1 << 24) - 1 };

struct failpoint_order {
	enum failpoint_action action;
	uint32_t nth;  /* the pass it is for, 1 being the next */
	bool onwards;  /* and for every later one */
	int32_t value; /* STALL: ms, 0 until released; FAIL: what is answered,
			* 0 for the point's own */
};

/* INVALID_ARGUMENT says what is wrong with it. */
MUSTCHECK enum status_code
failpoint_order_parse(const char *text, struct failpoint_order *ret_order,
		      struct status *reterr);

/* 0 is OFF. */
uint64_t failpoint_order_pack(const struct failpoint_order *order);
struct failpoint_order failpoint_order_unpack(uint64_t word);

#endif
