/*
 * Load on an HTTP server.
 *
 *	bench_http -target 127.0.0.1:8080 -path '/echo?request_id=%s&message=m'
 *		-connections 64 -seconds 3
 *	bench_http -target 127.0.0.1:8080 -path '/echo?request_id=%s' -requests
 *1000
 *
 * The first form keeps that many connections busy; the second sends that many
 * requests at once, each on a connection of its own, and waits for all answers.
 * %s is an id that no request before had; with -body JSON it is a POST. Prints
 * name=http connections= per_s= p50_us= p99_us= max_us= errors= answered=
 * refused= lost=, or name=burst requests= all_s= p50_us= p99_us= max_us=
 * errors=, where all_s is the time from the first byte sent to the last answer.
 * Exits 1 when it can't run.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "http_load.h"

struct config {
	struct http_load load;
	size_t requests; /* 0: keep connections busy */
};

static void usage(void)
{
	fprintf(stderr,
		"usage: bench_http -target HOST:PORT [-path PATH] "
		"[-body JSON] [-connections N] [-seconds S] [-warmup S]\n"
		"       bench_http -target HOST:PORT [-path PATH] [-body JSON] "
		"-requests N [-patience S]\n");
	exit(2);
}

static bool set_option(struct config *config, const char *name,
		       const char *value)
{
	struct http_load *load = &config->load;

	if (strcmp(name, "-target") == 0) {
		load->target = value;
	} else if (strcmp(name, "-path") == 0) {
		load->path = value;
	} else if (strcmp(name, "-body") == 0) {
		load->body = value;
	} else if (strcmp(name, "-connections") == 0) {
		load->connections = strtoul(value, NULL, 10);
	} else if (strcmp(name, "-seconds") == 0) {
		load->seconds = strtod(value, NULL);
	} else if (strcmp(name, "-warmup") == 0) {
		load->warmup_s = strtod(value, NULL);
	} else if (strcmp(name, "-patience") == 0) {
		load->patience_s = strtod(value, NULL);
	} else if (strcmp(name, "-requests") == 0) {
		config->requests = strtoul(value, NULL, 10);
	} else {
		return false;
	}
	return true;
}

static void parse(int argc, char **argv, struct config *config)
{
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc ||
		    !set_option(config, argv[i], argv[i + 1])) {
			usage();
		}
	}
	if (config->load.target == NULL || config->load.connections == 0) {
		usage();
	}
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int fail(void)
{
	fprintf(stderr, "bench_http: %s\n", strerror(errno));
	return 1;
}

static int keep_busy(const struct config *config)
{
	struct http_load_result result;

	if (http_load_run(&config->load, &result) != 0) {
		return fail();
	}
	printf("name=http connections=%zu per_s=%.0f p50_us=%.0f p99_us=%.0f "
	       "max_us=%.0f errors=%llu answered=%llu refused=%llu lost=%llu\n",
	       config->load.connections, result.per_s, result.p50_us,
	       result.p99_us, result.max_us, (unsigned long long)result.errors,
	       (unsigned long long)result.count,
	       (unsigned long long)result.refused,
	       (unsigned long long)result.lost);
	return 0;
}

static int burst(struct config *config)
{
	struct http_load_result result;

	config->load.connections = config->requests;
	if (http_load_burst(&config->load, &result) != 0) {
		return fail();
	}
	printf("name=burst requests=%zu all_s=%.3f p50_us=%.0f p99_us=%.0f "
	       "max_us=%.0f errors=%llu\n",
	       config->requests, result.all_s, result.p50_us, result.p99_us,
	       result.max_us, (unsigned long long)result.errors);
	return 0;
}

int main(int argc, char **argv)
{
	struct config config = {
		.load = { .path = "/echo?request_id=%s&message=hello",
			  .connections = 64,
			  .warmup_s = 0.3,
			  .seconds = 3,
			  .patience_s = 60 },
	};

	parse(argc, argv, &config);
	raise_descriptor_limit();
	return config.requests > 0 ? burst(&config) : keep_busy(&config);
}
