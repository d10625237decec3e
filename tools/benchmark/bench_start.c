/*
 * How long a program takes from exec to its Ready line, and from SIGTERM to its
 * exit when idle.
 *
 *	bench_start -runs 11 -- build/bin/worker -port 0 -db /tmp/x.db
 *
 * prints name=start ready_ms=<median> exit_ms=<median> rss_kb=<median>.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_MAX = 101 };

struct sample {
	double ready_ms;
	double exit_ms;
	double rss_kb;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_start: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t spawn(char **argv, int *ret_fd)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds) != 0) {
		die("pipe");
	}
	pid = fork();
	if (pid < 0) {
		die("fork");
	}
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], argv);
		die(argv[0]);
	}
	close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

static void wait_ready(int fd)
{
	char text[65536];
	size_t size = 0;

	while (size < sizeof(text) - 1) {
		ssize_t n = read(fd, text + size, sizeof(text) - 1 - size);

		if (n <= 0) {
			fprintf(stderr,
				"bench_start: ended before Ready:\n%s\n", text);
			exit(1);
		}
		size += (size_t)n;
		text[size] = '\0';
		if (strstr(text, "Ready") != NULL) {
			return;
		}
	}
	fprintf(stderr, "bench_start: no Ready line\n");
	exit(1);
}

static double resident_kb(pid_t pid)
{
	char path[64];
	char line[256];
	double kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	if (file == NULL) {
		return 0;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "VmRSS: %lf", &kb) == 1) {
			break;
		}
	}
	fclose(file);
	return kb;
}

static struct sample run_once(char **argv)
{
	struct sample sample;
	double began = now_ms();
	char rest[4096];
	int fd;
	pid_t pid = spawn(argv, &fd);

	wait_ready(fd);
	sample.ready_ms = now_ms() - began;
	sample.rss_kb = resident_kb(pid);
	began = now_ms();
	kill(pid, SIGTERM);
	while (read(fd, rest, sizeof(rest)) > 0) {
		/* Until it has closed its end. */
	}
	waitpid(pid, NULL, 0);
	sample.exit_ms = now_ms() - began;
	close(fd);
	return sample;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

int main(int argc, char **argv)
{
	double ready[RUNS_MAX];
	double ended[RUNS_MAX];
	double rss[RUNS_MAX];
	int runs = 11;
	int at = 1;

	if (argc > 2 && strcmp(argv[1], "-runs") == 0) {
		runs = atoi(argv[2]);
		at = 3;
	}
	if (runs < 1 || runs > RUNS_MAX || at + 1 >= argc ||
	    strcmp(argv[at], "--") != 0) {
		fprintf(stderr,
			"usage: bench_start [-runs N] -- program ...\n");
		return 2;
	}
	for (int i = 0; i < runs; i++) {
		struct sample sample = run_once(argv + at + 1);

		ready[i] = sample.ready_ms;
		ended[i] = sample.exit_ms;
		rss[i] = sample.rss_kb;
	}
	printf("name=start ready_ms=%.1f exit_ms=%.1f rss_kb=%.0f\n",
	       median(ready, runs), median(ended, runs), median(rss, runs));
	return 0;
}
