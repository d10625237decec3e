#include "program/program.h"

#include <unistd.h>

#include "lifecycle/descriptors.h"
#include "log/log.h"

enum { CANCEL_GRACE_S = 5 };

static enum status_code start_log(const struct program *program,
				  struct status *reterr)
{
	const struct log_options options = {
		.component = program->component,
		.level = (enum log_level)program->config.log_level,
		.format = (enum log_format)program->config.log_format,
		.fd = STDERR_FILENO,
	};

	return log_init(&options, reterr);
}

static void admit(struct program *program)
{
	size_t wanted = (size_t)program->config.max_in_flight;
	struct status raised;

	if (descriptors_raise(&program->descriptors, &raised) != STATUS_OK) {
		log_warn(NULL, NULL, "%s, going on with %zu", raised.message,
			 program->descriptors);
	}
	program->in_flight_max =
		descriptors_admit(wanted, 1, PROGRAM_DESCRIPTORS_RESERVED);
	if (program->in_flight_max < wanted) {
		log_warn(NULL, NULL,
			 "-max-in-flight lowered from %zu to %zu: %zu file "
			 "descriptors allow no more",
			 wanted, program->in_flight_max, program->descriptors);
	}
}

static enum status_code start_lifecycle(struct program *program,
					struct status *reterr)
{
	const struct lifecycle_options options = {
		.shutdown_timeout_ns = program->config.shutdown_timeout_ns,
		.drain_delay_ns = program->config.drain_delay_ns,
		.cancel_grace_ns = (int64_t)CANCEL_GRACE_S * NS_PER_S,
	};

	return lifecycle_new(program->loop, &options, &program->lifecycle,
			     reterr);
}

enum status_code program_start(struct program *program, struct status *reterr)
{
	if (start_log(program, reterr) != STATUS_OK) {
		return reterr->code;
	}
	admit(program);
	if (loop_new(&program->loop, reterr) != STATUS_OK ||
	    ctx_root(program->loop, &program->root, reterr) != STATUS_OK) {
		return reterr->code;
	}
	program->metrics = metrics_new();
	metrics_add_process(program->metrics, program->version);
	program->work_metrics =
		work_metrics_new(program->metrics, program->name);
	return start_lifecycle(program, reterr);
}

void program_release(struct program *program)
{
	lifecycle_free(program->lifecycle);
	work_metrics_free(program->work_metrics);
	metrics_free(program->metrics);
	if (program->root != NULL) {
		ctx_unref(program->root);
	}
	loop_free(program->loop);
	log_close();
	program->lifecycle = NULL;
	program->work_metrics = NULL;
	program->metrics = NULL;
	program->root = NULL;
	program->loop = NULL;
}

enum status_code program_check_ready(void *arg, struct status *reterr)
{
	const struct program *program = arg;

	if (!lifecycle_is_ready(program->lifecycle)) {
		return status_set(reterr, STATUS_UNAVAILABLE, "stopping");
	}
	return program->check != NULL
		       ? program->check(program->check_arg, reterr)
		       : STATUS_OK;
}

size_t program_connections_max(const struct program *program)
{
	return descriptors_admit(program->descriptors, 1,
				 PROGRAM_DESCRIPTORS_RESERVED / 2);
}
