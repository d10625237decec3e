#include "loop/timers.h"

#include <stdlib.h>

#include "loop/bug.h"

enum { CAPACITY_MIN = 64 };

/* Write @entry at @index and tell its timer. */
static void place(struct timers *timers, size_t index,
		  struct timers_entry entry)
{
	timers->entries[index] = entry;
	entry.timer->slot = index + 1;
}

/* Move the hole at @index towards the root until @entry fits into it. */
static void sift_up(struct timers *timers, size_t index,
		    struct timers_entry entry)
{
	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (timers->entries[parent].at_ns <= entry.at_ns) {
			break;
		}
		place(timers, index, timers->entries[parent]);
		index = parent;
	}
	place(timers, index, entry);
}

/* Move the hole at @index towards the leaves until @entry fits into it. */
static void sift_down(struct timers *timers, size_t index,
		      struct timers_entry entry)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= timers->count) {
			break;
		}
		if (child + 1 < timers->count &&
		    timers->entries[child + 1].at_ns <
			    timers->entries[child].at_ns) {
			child++;
		}
		if (entry.at_ns <= timers->entries[child].at_ns) {
			break;
		}
		place(timers, index, timers->entries[child]);
		index = child;
	}
	place(timers, index, entry);
}

static void grow(struct timers *timers)
{
	size_t capacity =
		timers->capacity == 0 ? CAPACITY_MIN : timers->capacity * 2;
	struct timers_entry *entries = reallocarray(timers->entries, capacity,
						    sizeof(*timers->entries));

	BUG_IF(entries == NULL, "out of memory for timers");
	timers->entries = entries;
	timers->capacity = capacity;
}

void timers_insert(struct timers *timers, struct loop_timer *timer)
{
	struct timers_entry entry = { timer->at_ns, timer };

	if (timers->count == timers->capacity) {
		grow(timers);
	}
	timers->count++;
	sift_up(timers, timers->count - 1, entry);
}

void timers_remove(struct timers *timers, struct loop_timer *timer)
{
	size_t index = timer->slot - 1;
	struct timers_entry last;

	BUG_IF(timer->slot == 0 || timer->slot > timers->count ||
		       timers->entries[index].timer != timer,
	       "timer is not in this loop's heap");
	timer->slot = 0;
	timers->count--;
	if (index == timers->count) {
		return;
	}
	last = timers->entries[timers->count];
	if (index > 0 && last.at_ns < timers->entries[(index - 1) / 2].at_ns) {
		sift_up(timers, index, last);
	} else {
		sift_down(timers, index, last);
	}
}

int64_t timers_earliest_ns(const struct timers *timers)
{
	return timers->count == 0 ? CLOCK_NEVER : timers->entries[0].at_ns;
}

struct loop_timer *timers_pop_due(struct timers *timers, int64_t now_ns)
{
	struct loop_timer *timer;

	if (timers->count == 0 || timers->entries[0].at_ns > now_ns) {
		return NULL;
	}
	timer = timers->entries[0].timer;
	timers_remove(timers, timer);
	return timer;
}

void timers_release(struct timers *timers)
{
	free(timers->entries);
	timers->entries = NULL;
	timers->count = timers->capacity = 0;
}
