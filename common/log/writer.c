#include "log/writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/bug.h"
#include "loop/clock.h"

/*
 * stopped -> awake <-> asleep       asleep: waits, and has to be woken
 *              ^ \---> lingering    lingering: comes back by itself, soon
 *              \---------/
 * Callers move asleep and lingering to awake; they signal when they do.
 */
enum state { STOPPED, AWAKE, ASLEEP, LINGERING };

static struct {
	pthread_mutex_t mutex; /* guards all below but what is the thread's */
	pthread_cond_t work;
	pthread_cond_t progress;
	enum state state;
	bool stopping;
	bool abandoned; /* stopped while stuck: lines are dropped */
	int flushing;	/* how many wait in writer_flush() */
	uint64_t put_bytes, done_bytes;
	uint64_t lost; /* lines, since the last line that told */
	bool failing;  /* the last write failed, so telling is in vain */
	char *filling;
	size_t filling_size;

	/* The thread's own, and what is set before it starts. */
	char *writing;
	size_t writing_size;
	bool torn; /* the last write stopped in the middle of a line */
	int fd;
	pid_t pid;
	void (*render_lost)(struct line *line, uint64_t count);
	pthread_t thread;
} w = { .mutex = PTHREAD_MUTEX_INITIALIZER, .state = STOPPED };

/* ---- writing ------------------------------------------------------------ */

/* Returns how much was written: less than @size only if @fd has failed. */
static size_t write_all(int fd, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, data + done, size - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			(void)poll(&pfd, 1, -1);
		} else if (errno != EINTR) {
			break;
		}
	}
	return done;
}

static uint64_t count_lines(const char *data, size_t size)
{
	uint64_t count = 0;

	for (size_t i = 0; i < size; i++) {
		count += data[i] == '\n';
	}
	return count;
}

/* Returns the number of lines that could not be written. */
static uint64_t write_buffer(void)
{
	size_t done;

	if (w.torn && write_all(w.fd, "\n", 1) != 1) {
		return count_lines(w.writing, w.writing_size);
	}
	done = write_all(w.fd, w.writing, w.writing_size);
	w.torn = done > 0 ? w.writing[done - 1] != '\n' : false;
	return count_lines(w.writing + done, w.writing_size - done);
}

/* ---- the thread: all with the mutex held -------------------------------- */

static bool append(const struct line *line)
{
	if (line->length > WRITER_BUFFER_SIZE - w.filling_size) {
		return false;
	}
	memcpy(w.filling + w.filling_size, line->text, line->length);
	w.filling_size += line->length;
	w.put_bytes += line->length;
	return true;
}

/* Say how many lines are missing at this place, once it can be said. */
static void append_lost(void)
{
	struct line line;

	if (w.lost > 0 && !w.failing) {
		line_init(&line);
		w.render_lost(&line, w.lost);
		w.lost = append(&line) ? 0 : w.lost;
	}
}

static void swap_buffers(void)
{
	char *writing = w.writing;

	w.writing = w.filling;
	w.writing_size = w.filling_size;
	w.filling = writing;
	w.filling_size = 0;
}

static void write_filled(void)
{
	uint64_t failed;

	swap_buffers();
	pthread_mutex_unlock(&w.mutex);
	failed = write_buffer();
	pthread_mutex_lock(&w.mutex);
	w.done_bytes += w.writing_size;
	w.lost += failed;
	w.failing = failed > 0;
	append_lost(); /* in case no caller comes who would */
	pthread_cond_broadcast(&w.progress);
}

/* Let more gather, unless someone waits for it. */
static void linger(void)
{
	int64_t until_ns =
		clock_now_ns() + (int64_t)WRITER_LINGER_MS * NS_PER_MS;
	struct timespec until = { .tv_sec = until_ns / NS_PER_S,
				  .tv_nsec = until_ns % NS_PER_S };

	if (w.stopping || w.flushing > 0 ||
	    w.filling_size >= WRITER_BUFFER_SIZE / 2) {
		return;
	}
	w.state = LINGERING;
	while (w.state == LINGERING &&
	       pthread_cond_clockwait(&w.work, &w.mutex, CLOCK_MONOTONIC,
				      &until) == 0) {
	}
	w.state = AWAKE;
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&w.mutex);
	for (;;) {
		while (w.filling_size == 0 && !w.stopping) {
			w.state = ASLEEP;
			pthread_cond_wait(&w.work, &w.mutex);
		}
		w.state = AWAKE;
		if (w.filling_size == 0) {
			break;
		}
		write_filled();
		linger();
	}
	w.state = STOPPED;
	pthread_cond_broadcast(&w.progress);
	pthread_mutex_unlock(&w.mutex);
	return NULL;
}

/* ---- life --------------------------------------------------------------- */

/* Signals are for the loop; a thread that writes must not be picked for one. */
static int start_thread(void)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w.thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

static void free_buffers(void)
{
	free(w.filling);
	free(w.writing);
	w.filling = w.writing = NULL;
	w.filling_size = w.writing_size = 0;
}

enum status_code
writer_start(int fd, void (*render_lost)(struct line *line, uint64_t count),
	     struct status *reterr)
{
	int err;

	BUG_IF(w.state != STOPPED, "the log was started already");
	w.filling = malloc(WRITER_BUFFER_SIZE);
	w.writing = malloc(WRITER_BUFFER_SIZE);
	w.fd = fd;
	w.pid = getpid();
	w.render_lost = render_lost;
	w.torn = w.stopping = w.failing = false;
	w.state = AWAKE;
	err = w.filling == NULL || w.writing == NULL ? ENOMEM : start_thread();
	if (err != 0) {
		w.state = STOPPED;
		free_buffers();
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED, err,
					"start the log's writer");
	}
	return STATUS_OK;
}

/* Wake the thread; whoever takes it out of its state is the one to signal. */
static bool must_signal(bool urgent)
{
	if (w.state == ASLEEP || (w.state == LINGERING && urgent)) {
		w.state = AWAKE;
		return true;
	}
	return false;
}

static bool put_locked(const struct line *line)
{
	append_lost();
	/* Nothing goes before the line that tells what is missing there. */
	if ((w.lost > 0 && !w.failing) || !append(line)) {
		w.lost++;
	}
	return must_signal(w.filling_size >= WRITER_BUFFER_SIZE / 2);
}

void writer_put(const struct line *line, int fd_otherwise)
{
	bool stopped, signal = false;

	pthread_mutex_lock(&w.mutex);
	stopped = w.state == STOPPED;
	if (!stopped) {
		signal = put_locked(line);
	}
	stopped = stopped && !w.abandoned;
	pthread_mutex_unlock(&w.mutex);
	if (signal) {
		pthread_cond_signal(&w.work);
	}
	if (stopped) {
		(void)write_all(fd_otherwise, line->text, line->length);
	}
}

void writer_flush(void)
{
	uint64_t target;

	pthread_mutex_lock(&w.mutex);
	target = w.put_bytes;
	w.flushing++;
	if (must_signal(true)) {
		pthread_cond_signal(&w.work);
	}
	while (w.state != STOPPED && w.done_bytes < target) {
		pthread_cond_wait(&w.progress, &w.mutex);
	}
	w.flushing--;
	pthread_mutex_unlock(&w.mutex);
}

/* False if the thread was stuck in a write for too long. */
static bool await_stopped(void)
{
	int64_t until_ns =
		clock_now_ns() + (int64_t)WRITER_CLOSE_MS_MAX * NS_PER_MS;
	struct timespec until = { .tv_sec = until_ns / NS_PER_S,
				  .tv_nsec = until_ns % NS_PER_S };

	w.stopping = true;
	if (must_signal(true)) {
		pthread_cond_signal(&w.work);
	}
	while (w.state != STOPPED &&
	       pthread_cond_clockwait(&w.progress, &w.mutex, CLOCK_MONOTONIC,
				      &until) == 0) {
	}
	return w.state == STOPPED;
}

void writer_stop(void)
{
	bool joinable;

	pthread_mutex_lock(&w.mutex);
	/* A forked child has the memory but not the thread. */
	if (w.state == STOPPED || w.pid != getpid()) {
		pthread_mutex_unlock(&w.mutex);
		return;
	}
	joinable = await_stopped();
	w.abandoned = !joinable;
	w.state = STOPPED;
	pthread_mutex_unlock(&w.mutex);
	if (joinable) {
		pthread_join(w.thread, NULL);
		free_buffers();
	}
}
