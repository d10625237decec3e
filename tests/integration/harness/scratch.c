#include "harness/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool is_slow_build(void)
{
	return RESCIND_SANITIZED || is_under_valgrind();
}

bool is_under_valgrind(void)
{
	return getenv("RESCIND_VALGRIND") != NULL;
}

bool is_ci(void)
{
	const char *ci = getenv("CI");

	return ci != NULL && strcmp(ci, "true") == 0;
}

void scratch_make(char ret_dir[PATH_SIZE])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(ret_dir, PATH_SIZE, "%s/rescind-test.XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	ck_assert_msg(mkdtemp(ret_dir) != NULL, "mkdtemp %s: %s", ret_dir,
		      strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void scratch_remove(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(char ret_path[PATH_SIZE], const char *dir,
			 const char *name)
{
	ck_assert_int_lt(snprintf(ret_path, PATH_SIZE, "%s/%s", dir, name),
			 PATH_SIZE);
	return ret_path;
}

bool path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

void file_write(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "open %s: %s", path, strerror(errno));
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}
