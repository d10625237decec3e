/*
 * Private to the log: a bounded buffer and the thread that writes it out.
 *
 * Two buffers: callers fill one while the thread writes the other. A caller
 * wakes the thread only when it sleeps. After a write the thread lingers a
 * moment for more to gather, and while it does no caller wakes it unless the
 * buffer is half full; so a busy program pays for a few hundred wake-ups a
 * second, however many lines it logs, and an idle one for none.
 *
 * One a process. Thread-safe.
 */
#ifndef RESCIND_LOG_WRITER_H
#define RESCIND_LOG_WRITER_H

#include "log/line.h"
#include "status/status.h"

enum {
	WRITER_BUFFER_SIZE = 1024 * 1024,
	WRITER_LINGER_MS = 2,
	WRITER_CLOSE_MS_MAX = 5000,
};

/*
 * Write to @fd. @render_lost is called, with a lock held, for the line that
 * tells how many lines were lost.
 */
MUSTCHECK enum status_code
writer_start(int fd, void (*render_lost)(struct line *line, uint64_t count),
	     struct status *reterr);
/* Without a running writer the line is written at once, to @fd_otherwise. */
void writer_put(const struct line *line, int fd_otherwise);
/* Wait until all that was put before is written, or could not be. */
void writer_flush(void);
/*
 * Write everything and end the thread. Gives up on what a descriptor did not
 * take within WRITER_CLOSE_MS_MAX, for a stuck reader must not keep the
 * process.
 */
void writer_stop(void);

#endif
