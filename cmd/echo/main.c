/* Echo: flags, parts, run, exit code. What an exchange is: services/echo. */
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
	log_write(LOG_INFO, NULL,
		  LOG_FIELDS(LOG_INT("http_port", http_server_port(app->http)),
			     LOG_STR("worker", app->config.worker),
			     LOG_STR("db", app->config.db),
			     LOG_INT("pid", getpid())),
		  "Ready");
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
		fprintf(stderr, "echo: %s\n", status.message);
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
		fprintf(stderr, "echo: %s\n", status.message);
	}
	return code;
}