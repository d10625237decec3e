/*
 * What every server program here is made of, whatever it serves: log,
 * descriptors, loop, root scope, metrics, the ladder by which it stops; and the
 * shape of its main().
 *
 *	struct app {
 *		struct program program;
 *		struct program_http http;	// program_http.h
 *		struct program_db db;		// program_db.h
 *		...
 *	};
 *
 *	int main(int argc, char **argv)
 *	{
 *		static struct app app = { .program = {
 *			.name = "echo", .component = "ECHO",
 *			.version = RESCIND_VERSION } };
 *		static const struct program_steps steps = { ... };
 *
 *		return program_run(&app.program, &steps, &app, argc, argv);
 *	}
 *
 * Parts (program_http.h, program_grpc.h, program_db.h) are made in the order in
 * which the program needs them, and registered with the ladder in the order in
 * which they shall not close: what others stand on first. Each part's close and
 * release() are harmless again and on what was never made, so a start that
 * fails half-way is undone by the same release() as a run.
 *
 * Exit codes: 0 stopped and drained, PROGRAM_EXIT_STARTUP, PROGRAM_EXIT_USAGE,
 * LIFECYCLE_EXIT_FORCED (3), PROGRAM_EXIT_SYNC_FAILED.
 *
 * Thread-safety: main thread, which is the loop's.
 */
#ifndef RESCIND_PROGRAM_H
#define RESCIND_PROGRAM_H

#include <stddef.h>

#include "ctx/ctx.h"
#include "lifecycle/lifecycle.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "ops/work_metrics.h"
#include "program/config.h"

enum {
	PROGRAM_EXIT_STARTUP = 1,
	PROGRAM_EXIT_USAGE = 2,
	PROGRAM_EXIT_SYNC_FAILED = 75, /* EX_TEMPFAIL: start again, from the
					  file */
};

/* Descriptors for everything that is not a client's connection. */
enum { PROGRAM_DESCRIPTORS_RESERVED = 64 };

struct program {
	/* Filled in by its owner. */
	const char *name;      /* "echo": before errors, and in metrics */
	const char *component; /* "ECHO": in the log */
	const char *version;
	struct program_config config;
	/* What has to be well, beside the ladder's standing, for the program to
	 * be ready; *reterr says what is not. Loop thread. May be NULL. */
	enum status_code (*check)(void *arg, struct status *reterr);
	void *check_arg;

	/* Made by program_start(). */
	size_t descriptors;   /* that may be open */
	size_t in_flight_max; /* config's, or what descriptors allow */
	struct loop *loop;
	struct ctx *root;
	struct metrics *metrics;
	struct work_metrics *work_metrics;
	struct lifecycle *lifecycle;
};

/* What a program does of its own, in this order; @self is its own object. */
struct program_steps {
	/* Read the flags, program->config among them, and check them. */
	enum flags_outcome (*parse)(void *self, int argc, char **argv,
				    struct status *reterr);
	/* After program_start(): make, register and start the parts. */
	enum status_code (*start)(void *self, struct status *reterr);
	/* It is ready: tell its ports. May be NULL. */
	void (*announce)(void *self);
	/* Release all that start() made, or began to make. */
	void (*release)(void *self);
};

/* Everything from the flags to the exit code. Once a process. */
int program_run(struct program *program, const struct program_steps *steps,
		void *self, int argc, char **argv);

/* ---- what program_run() does, for programs of another shape ------------- */

/* Make all of @program that is made here; on failure program_release(). */
MUSTCHECK enum status_code program_start(struct program *program,
					 struct status *reterr);
/* After all that stands on it is released. */
void program_release(struct program *program);

/* Whether new work is welcome: @program is a struct program that is ready and
 * whose check() is content. Loop thread. */
enum status_code program_check_ready(void *program, struct status *reterr);

/* Connections that a server may hold: all but those reserved for others. */
size_t program_connections_max(const struct program *program);

#endif
