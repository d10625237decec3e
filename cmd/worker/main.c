/* The worker: flags, parts, run, exit code. What a task is: services/worker. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app.h"
#include "log/log.h"

enum {
	EXIT_STARTUP = 1,
	EXIT_USAGE = 2,
};

/* At any level: who started it has to learn the ports. */
static void log_ready(const struct app *app)
{
	const struct log_field with_metrics[] = {
		LOG_INT("grpc_port", rpc_server_port(app->server)),
		LOG_INT("metrics_port",
			app->http ? http_server_port(app->http) : 0),
		LOG_STR("db", app->config.db),
		LOG_INT("pid", getpid()),
		{ .key = NULL },
	};
	const struct log_field without[] = { with_metrics[0], with_metrics[2],
					     with_metrics[3], with_metrics[4] };

	log_write(LOG_INFO, NULL, app->http ? with_metrics : without, "Ready");
}

int main(int argc, char **argv)
{
	static struct app app;
	struct status status;
	int code = EXIT_STARTUP;

	switch (config_parse(&app.config, argc, argv, &status)) {
	case FLAGS_EXIT:
		return EXIT_SUCCESS;
	case FLAGS_INVALID:
		fprintf(stderr, "worker: %s\n", status.message);
		return EXIT_USAGE;
	case FLAGS_RUN:
		break;
	}
	loop_block_signals();
	if (app_start(&app, &status) == STATUS_OK) {
		lifecycle_ready(app.lifecycle);
		log_ready(&app);
		code = lifecycle_run(app.lifecycle);
		app_release(&app);
	} else {
		app_release(&app);
		fprintf(stderr, "worker: %s\n", status.message);
	}
	return code;
}