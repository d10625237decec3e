/*
 * How long it takes from a client's close() to the rollback in both processes,
 * with a number of other requests in flight.
 *
 *	bench_cancel -target 127.0.0.1:8080 -others 1000 -cancels 500
 *		-echo-log echo.log -worker-log worker.log
 *
 * The two servers must run with -work and -timeout longer than the measurement,
 * so that the others stay in flight, and with their text logs in those files:
 * the instants of the rollbacks are the time stamps of their own log lines.
 * Each request is closed 10 ms after it was sent, when it waits in the worker.
 * Prints name=cancel others=N p50_us= p99_us= max_us= (the later of the two)
 * and echo_p50_us= (its rollback alone).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	WAIT_IN_WORKER_MS = 10,
	LOG_PATIENCE_MS = 5000,
	CANCELS_MAX = 100000,
};

struct config {
	struct sockaddr_in target;
	long others;
	long cancels;
	const char *echo_log;
	const char *worker_log;
};

static void die(const char *what)
{
	fprintf(stderr, "bench_cancel: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static int send_request(const struct config *config, const char *kind, long id)
{
	char request[256];
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int size;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&config->target,
			      sizeof(config->target)) != 0) {
		die("connect");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	size = snprintf(request, sizeof(request),
			"GET /echo?request_id=%s-%ld&message=m HTTP/1.1\r\n"
			"Host: localhost\r\n\r\n",
			kind, id);
	if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
		die("send");
	}
	return fd;
}

/* "2026-01-31T12:00:00.123456Z ..." */
static bool parse_stamp(const char *line, int64_t *ret_us)
{
	struct tm tm = { 0 };
	const char *rest = strptime(line, "%Y-%m-%dT%H:%M:%S", &tm);

	if (rest == NULL || *rest != '.') {
		return false;
	}
	*ret_us = (int64_t)timegm(&tm) * 1000000 + atol(rest + 1);
	return true;
}

/* Fill instants of "TRANSACTION ROLLED BACK for ...=cancel-<n>"; the count. */
static long read_rollbacks(const char *path, int64_t *ret_us, long n)
{
	static const char mark[] = "TRANSACTION ROLLED BACK for ";
	char line[4096];
	long found = 0;
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		die(path);
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		const char *at = strstr(line, mark);
		const char *id = at ? strstr(at, "=cancel-") : NULL;
		long i = id ? atol(id + strlen("=cancel-")) : -1;

		if (i >= 0 && i < n && parse_stamp(line, &ret_us[i])) {
			found++;
		}
	}
	fclose(file);
	return found;
}

/*
 * On a busy machine a request may be closed before it came as far as the
 * worker, which then has nothing to roll back; more than a few of these and the
 * figures would speak of something else.
 */
static void await_rollbacks(const char *path, int64_t *ret_us, long n)
{
	long found;

	for (int waited = 0; waited < LOG_PATIENCE_MS; waited += 50) {
		found = read_rollbacks(path, ret_us, n);
		if (found == n) {
			return;
		}
		pause_ms(50);
	}
	if (found < n - n / 20) {
		fprintf(stderr,
			"bench_cancel: %s tells of %ld rollbacks of %ld\n",
			path, found, n);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * From closed to the later of the two in @closed, to echo's in @in_echo, both
 * sorted; how many had both.
 */
static size_t latencies(size_t n, int64_t *closed, int64_t *in_echo,
			const int64_t *in_worker)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t last =
			in_echo[i] > in_worker[i] ? in_echo[i] : in_worker[i];

		if (in_echo[i] != 0 && in_worker[i] != 0) {
			in_echo[kept] = in_echo[i] - closed[i];
			closed[kept++] = last - closed[i];
		}
	}
	qsort(closed, kept, sizeof(*closed), compare);
	qsort(in_echo, kept, sizeof(*in_echo), compare);
	return kept;
}

static void measure(const struct config *config)
{
	size_t n = (size_t)config->cancels;
	int64_t *closed = calloc(n, sizeof(*closed));
	int64_t *in_echo = calloc(n, sizeof(*in_echo));
	int64_t *in_worker = calloc(n, sizeof(*in_worker));

	if (closed == NULL || in_echo == NULL || in_worker == NULL) {
		die("memory");
	}
	for (long i = 0; i < config->cancels; i++) {
		int fd = send_request(config, "cancel", i);

		pause_ms(WAIT_IN_WORKER_MS);
		closed[i] = wall_us();
		close(fd);
	}
	await_rollbacks(config->echo_log, in_echo, config->cancels);
	await_rollbacks(config->worker_log, in_worker, config->cancels);
	n = latencies(n, closed, in_echo, in_worker);
	printf("name=cancel others=%ld cancels=%ld p50_us=%ld p99_us=%ld "
	       "max_us=%ld echo_p50_us=%ld\n",
	       config->others, (long)n, (long)closed[n / 2],
	       (long)closed[n * 99 / 100], (long)closed[n - 1],
	       (long)in_echo[n / 2]);
	free(closed);
	free(in_echo);
	free(in_worker);
}

static void parse(struct config *config, int argc, char **argv)
{
	char host[64];
	unsigned port = 0;

	for (int i = 1; i + 1 < argc; i += 2) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], "-target") == 0 &&
		    sscanf(value, "%63[^:]:%u", host, &port) == 2) {
			config->target.sin_family = AF_INET;
			config->target.sin_port = htons((uint16_t)port);
			inet_pton(AF_INET, host, &config->target.sin_addr);
		} else if (strcmp(argv[i], "-others") == 0) {
			config->others = atol(value);
		} else if (strcmp(argv[i], "-cancels") == 0) {
			config->cancels = atol(value);
		} else if (strcmp(argv[i], "-echo-log") == 0) {
			config->echo_log = value;
		} else if (strcmp(argv[i], "-worker-log") == 0) {
			config->worker_log = value;
		} else {
			fprintf(stderr, "bench_cancel: bad flag %s\n", argv[i]);
			exit(2);
		}
	}
	if (port == 0 || config->cancels < 1 || config->cancels > CANCELS_MAX ||
	    config->others < 0 || !config->echo_log || !config->worker_log) {
		fprintf(stderr,
			"bench_cancel: -target, -cancels, -echo-log and "
			"-worker-log are needed\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct config config = { .cancels = 500 };
	struct rlimit limit;

	parse(&config, argc, argv);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (long i = 0; i < config.others; i++) {
		send_request(&config, "other", i);
	}
	pause_ms(500);
	measure(&config);
	return 0;
}
