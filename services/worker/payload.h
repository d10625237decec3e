/*
 * What is prepared of a task, as the bytes that are kept on disk until its
 * coordinator has decided: a version, the task's name, a NUL, its data. Pure.
 */
#ifndef RESCIND_WORKER_PAYLOAD_H
#define RESCIND_WORKER_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

struct payload {
	char *bytes; /* a NUL is behind them */
	size_t size;
};

/* Of a task that work_validate() let pass. Aborts when memory is out. */
void payload_make(struct payload *payload, const char *task_id,
		  const char *data);
/* Zeroed is fine. */
void payload_release(struct payload *payload);

/* What is in one; points into its bytes. */
struct payload_view {
	const char *task_id; /* NUL-terminated */
	const char *data;
	size_t data_size;
};
/* False: these bytes are not one of ours, or of a later version. */
bool payload_read(const void *bytes, size_t size,
		  struct payload_view *ret_view);

#endif
