/*
 * Private to the loop: its timers, a binary heap by instant.
 *
 * A timer knows its slot in the heap, so that it can be taken out of the
 * middle. Not thread-safe: the loop's mutex guards it. The heap's array grows
 * to the largest number of timers ever started at once and stays there; its
 * bound is that of the objects in which the timers are embedded.
 */
#ifndef RESCIND_LOOP_TIMERS_H
#define RESCIND_LOOP_TIMERS_H

#include "loop/loop.h"

/* The instant is kept beside the pointer: sifting touches no timer's memory
 * except to tell it its new slot. */
struct timers_entry {
	int64_t at_ns;
	struct loop_timer *timer;
};

struct timers {
	struct timers_entry *entries;
	size_t count;
	size_t capacity;
};

/* Aborts when memory is out. */
void timers_insert(struct timers *timers, struct loop_timer *timer);
/* @timer is in the heap. */
void timers_remove(struct timers *timers, struct loop_timer *timer);
/* The earliest instant, or CLOCK_NEVER when there is no timer. */
int64_t timers_earliest_ns(const struct timers *timers);
/* Take out the earliest timer if it is due at @now_ns, else NULL. */
struct loop_timer *timers_pop_due(struct timers *timers, int64_t now_ns);
void timers_release(struct timers *timers);

#endif
