#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "metrics/metrics.h"

static double seconds_of(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) != 0) {
		return NAN;
	}
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double read_resident(void *arg)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages;
	int n;

	(void)arg;
	if (file == NULL) {
		return NAN;
	}
	n = fscanf(file, "%*u %lu", &pages);
	fclose(file);
	return n == 1 ? (double)pages * (double)sysconf(_SC_PAGESIZE) : NAN;
}

/* Counting 20,000 entries takes milliseconds, so it is the second choice. */
static double count_entries(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	double n = -1; /* the one that opendir() opened */

	if (dir == NULL) {
		return NAN;
	}
	while ((entry = readdir(dir)) != NULL) {
		n += entry->d_name[0] != '.';
	}
	closedir(dir);
	return n;
}

static double read_open_fds(void *arg)
{
	static const char path[] = "/proc/self/fd";
	struct stat st;

	(void)arg;
	/* From Linux 6.2 on its size is the number of descriptors. */
	if (stat(path, &st) == 0 && st.st_size > 0) {
		return (double)st.st_size;
	}
	return count_entries(path);
}

static double read_max_fds(void *arg)
{
	struct rlimit limit;

	(void)arg;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return NAN;
	}
	return limit.rlim_cur == RLIM_INFINITY ? (double)INFINITY
					       : (double)limit.rlim_cur;
}

static double read_cpu(void *arg)
{
	(void)arg;
	return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* Field 22 of /proc/self/stat: when the process began, in ticks after boot.
 * The name before it, in parentheses, may hold anything. */
static double start_after_boot(void)
{
	FILE *file = fopen("/proc/self/stat", "re");
	char line[1024];
	unsigned long long ticks;
	const char *tail;
	size_t size;

	if (file == NULL) {
		return NAN;
	}
	size = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	line[size] = '\0';
	tail = strrchr(line, ')');
	if (tail == NULL ||
	    sscanf(tail + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
		   "%*d %*d %*d %*d %*d %llu",
		   &ticks) != 1) {
		return NAN;
	}
	return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double read_start(void *arg)
{
	return *(const double *)arg;
}

void metrics_add_process(struct metrics *metrics, const char *version)
{
	/* Looked up once: it would move with the wall clock otherwise. */
	static double start;

	start = seconds_of(CLOCK_REALTIME) - seconds_of(CLOCK_BOOTTIME) +
		start_after_boot();
	metrics_read_gauge(metrics, "process_start_time_seconds",
			   "Start of the process, seconds since 1970-01-01 UTC",
			   NULL, read_start, &start);
	metrics_read_gauge(metrics, "process_resident_memory_bytes",
			   "Resident memory", NULL, read_resident, NULL);
	metrics_read_gauge(metrics, "process_open_fds", "Open file descriptors",
			   NULL, read_open_fds, NULL);
	metrics_read_gauge(metrics, "process_max_fds",
			   "Descriptors that may be open at once", NULL,
			   read_max_fds, NULL);
	metrics_read_gauge(metrics, "process_cpu_seconds_total",
			   "CPU time used, in user space and kernel", NULL,
			   read_cpu, NULL);
	metrics_gauge_set(metrics_gauge(metrics, "rescind_build_info",
					"1; the version is in the label",
					METRICS_LABELS({ "version", version })),
			  1);
}
