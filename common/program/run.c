/* The shape of main(). */
#include <stdio.h>
#include <stdlib.h>

#include "program/program.h"

static int run_started(struct program *program,
		       const struct program_steps *steps, void *self)
{
	lifecycle_ready(program->lifecycle);
	if (steps->announce != NULL) {
		steps->announce(self);
	}
	return lifecycle_run(program->lifecycle);
}

static int start_and_run(struct program *program,
			 const struct program_steps *steps, void *self)
{
	struct status status;
	int code = PROGRAM_EXIT_STARTUP;
	bool started = program_start(program, &status) == STATUS_OK &&
		       steps->start(self, &status) == STATUS_OK;

	if (started) {
		code = run_started(program, steps, self);
	}
	steps->release(self);
	program_release(program);
	if (!started) {
		fprintf(stderr, "%s: %s\n", program->name, status.message);
	}
	return code;
}

int program_run(struct program *program, const struct program_steps *steps,
		void *self, int argc, char **argv)
{
	struct status status;

	switch (steps->parse(self, argc, argv, &status)) {
	case FLAGS_EXIT:
		return EXIT_SUCCESS;
	case FLAGS_INVALID:
		fprintf(stderr, "%s: %s\n", program->name, status.message);
		return PROGRAM_EXIT_USAGE;
	case FLAGS_RUN:
		break;
	}
	loop_block_signals();
	return start_and_run(program, steps, self);
}
