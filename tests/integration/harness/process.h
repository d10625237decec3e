/*
 * A spawned program: its log is gathered as it comes, and a test waits for what
 * it says.
 *
 *	struct process worker;
 *	process_start(&worker, "worker", NULL, (const char *const[]){
 *		"-port", "0", "-db", path, NULL });
 *	port = process_port(&worker, "grpc_port");
 *	process_await(&worker, "TRANSACTION ROLLED BACK", "task_id=t1");
 *	process_end(&worker);		// SIGTERM, and exit code 0
 *
 * A program dies with the test that started it, however that ends.
 */
#ifndef RESCIND_TEST_PROCESS_H
#define RESCIND_TEST_PROCESS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "harness/scratch.h"

struct process {
	char name[64];
	pid_t pid;
	int fd; /* where its stdout and stderr come in */
	pthread_t reader;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	char *log; /* NUL-terminated */
	size_t size;
	size_t capacity;
	bool closed; /* nothing more will come */
	int wait_status;
	bool reaped;
};

/* How it is started; NULL or zeros: as this process is. */
struct process_options {
	const char *const *env;	       /* NAME=value, added; ends in NULL */
	unsigned long descriptors_max; /* hard and soft limit */
	unsigned long file_size_max;   /* soft limit, bytes */
	uid_t uid;		       /* become this user */
	/* Its stdout goes to this file alone, which is opened for appending. */
	const char *stdout_path;
	/* Give it a terminal of so many columns, which it leads: what is
	 * written to process->fd is typed. Lines end in CRLF. */
	unsigned short terminal_columns;
	bool faulty; /* the one of ours that can be told to die: faults.h */
};

enum { UID_NOBODY = 65534 };

/*
 * Start @program, one of ours by its name ("echo", "worker") or any by its
 * path, with @arguments (without argv[0]), which end in NULL.
 */
void process_start(struct process *process, const char *program,
		   const struct process_options *options,
		   const char *const *arguments);
/* As process_start(), and append NULL by itself. */
#define PROCESS_START(process, program, options, ...)                          \
	process_start(process, program, options,                               \
		      (const char *const[]){ __VA_ARGS__, NULL })

/* The path of one of our programs, for who is to start it by other means. */
void program_path(char ret_path[PATH_SIZE], const char *program);

/* A list of texts that ends in NULL, as above. */
#define FLAGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Kill whatever is left and free. Idempotent; fine on a zeroed struct. */
void process_release(struct process *process);

/* ---- what it says -------------------------------------------------------- */

/* Wait for a line with both texts (@b may be NULL). False: it has ended, or
 * patience is over. */
bool process_says(struct process *process, const char *a, const char *b);
/* The same; stops the test, and shows the log, when the line does not come. */
void process_await(struct process *process, const char *a, const char *b);
/* Wait for a text that is perhaps no whole line. */
void process_await_text(struct process *process, const char *text);
/* Wait for "<mark><id>" followed by a space or the line's end: an id that is a
 * part of another is not mixed up with it. */
void process_await_id(struct process *process, const char *mark,
		      const char *id);
/* Whether, or how many times, it has been said by now. */
size_t process_count(struct process *process, const char *a, const char *b);
bool process_has_id(struct process *process, const char *mark, const char *id);
/* Each of these has been said, and each after the one before it. */
struct process_line {
	const char *a;
	const char *b; /* may be NULL */
};
void process_expect_order(struct process *process,
			  const struct process_line *lines, size_t n);
/* The end of its log; valid on this thread until the next. */
const char *process_tail(struct process *process);
/* The number after "<name>=" in the Ready line; waits for it. */
int process_port(struct process *process, const char *name);
/* Call @fn for each line so far. */
void process_each_line(struct process *process,
		       void (*fn)(const char *line, size_t size, void *arg),
		       void *arg);

/* ---- how it goes on ------------------------------------------------------ */

void process_signal(struct process *process, int signal_no);
/* Wait for it to stop, as SIGSTOP has it. */
void process_pause(struct process *process);
/* The same, when something else stops it. */
void process_await_stop(struct process *process);
void process_resume(struct process *process);
/* Wait for its end; false: patience is over. */
bool process_ends(struct process *process);
/* Wait for its end: its exit code, or 128 + the signal. */
int process_wait(struct process *process);
bool process_is_alive(struct process *process);
/* SIGTERM, and expect exit code 0; release. */
void process_end(struct process *process);
/* SIGKILL, and release. */
void process_kill(struct process *process);
/* Resident memory. */
size_t process_resident_kb(const struct process *process);
/* Open descriptors. */
size_t process_descriptors(const struct process *process);

#endif
