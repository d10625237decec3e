#include "failpoint/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop/clock.h"

static const char magic[8] = "FAILPNT1";

/* ---- the file ----------------------------------------------------------- */

static size_t size_of(size_t cells_n)
{
	return sizeof(struct failpoint_table) +
	       cells_n * sizeof(struct failpoint_cell);
}

static struct failpoint_table *map(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* A new file of @size zeros at @path, mapped; NULL and errno. */
static struct failpoint_table *make(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct failpoint_table *table = NULL;

	if (fd < 0) {
		return NULL;
	}
	if (ftruncate(fd, (off_t)size) == 0) {
		table = map(fd, size);
	}
	(void)close(fd);
	return table;
}

enum status_code
failpoint_table_create(const char *path, size_t cells_n,
		       void (*fill)(struct failpoint_table *table),
		       struct failpoint_table **ret_table,
		       struct status *reterr)
{
	struct failpoint_table *table = NULL;
	char draft[PATH_MAX];

	errno = ENAMETOOLONG;
	if (snprintf(draft, sizeof(draft), "%s.draft", path) <
	    (int)sizeof(draft)) {
		table = make(draft, size_of(cells_n));
	}
	if (table == NULL) {
		return status_set_errno(reterr, STATUS_INVALID_ARGUMENT, errno,
					"make '%s'", path);
	}
	memcpy(table->magic, magic, sizeof(magic));
	table->cell_size = sizeof(struct failpoint_cell);
	table->cells_n = (uint32_t)cells_n;
	table->pid = (int32_t)getpid();
	fill(table);
	if (rename(draft, path) != 0) {
		int err = errno;

		failpoint_table_unmap(table);
		return status_set_errno(reterr, STATUS_INVALID_ARGUMENT, err,
					"make '%s'", path);
	}
	*ret_table = table;
	return STATUS_OK;
}

/* NULL where it is not one of ours. */
static struct failpoint_table *map_checked(int fd)
{
	struct failpoint_table *table;
	struct stat st;
	size_t size;

	if (fstat(fd, &st) != 0 || (size_t)st.st_size < size_of(0)) {
		return NULL;
	}
	size = (size_t)st.st_size;
	table = map(fd, size);
	if (table == NULL) {
		return NULL;
	}
	if (memcmp(table->magic, magic, sizeof(magic)) != 0 ||
	    table->cell_size != sizeof(struct failpoint_cell) ||
	    size_of(table->cells_n) != size) {
		(void)munmap(table, size);
		return NULL;
	}
	return table;
}

enum status_code failpoint_table_map(const char *path,
				     struct failpoint_table **ret_table,
				     struct status *reterr)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct failpoint_table *table;

	if (fd < 0) {
		return status_set_errno(reterr, STATUS_NOT_FOUND, errno,
					"open '%s'", path);
	}
	table = map_checked(fd);
	(void)close(fd);
	if (table == NULL) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "'%s' is not a table of failpoints", path);
	}
	*ret_table = table;
	return STATUS_OK;
}

void failpoint_table_unmap(struct failpoint_table *table)
{
	if (table != NULL) {
		(void)munmap(table, size_of(table->cells_n));
	}
}

struct failpoint_cell *failpoint_table_find(struct failpoint_table *table,
					    const char *name)
{
	for (uint32_t i = 0; i < table->cells_n; i++) {
		if (strcmp(table->cells[i].name, name) == 0) {
			return &table->cells[i];
		}
	}
	return NULL;
}

/* ---- waiting ------------------------------------------------------------ */

/* While it is @value, until then (CLOCK_NEVER for no end). */
static void wait_while(_Atomic uint32_t *word, uint32_t value, int64_t until_ns)
{
	struct timespec until = { .tv_sec = until_ns / NS_PER_S,
				  .tv_nsec = until_ns % NS_PER_S };

	/* Absolute, on the monotonic clock. */
	(void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET, value,
		      until_ns == CLOCK_NEVER ? NULL : &until, NULL,
		      FUTEX_BITSET_MATCH_ANY);
}

static void raise_and_wake(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	(void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int64_t in_ms(int timeout_ms)
{
	return clock_now_ns() + (int64_t)timeout_ms * NS_PER_MS;
}

bool failpoint_cell_await(struct failpoint_cell *cell, uint32_t times,
			  int timeout_ms)
{
	int64_t until_ns = in_ms(timeout_ms);
	uint32_t struck;

	while ((struck = atomic_load(&cell->struck)) < times) {
		if (clock_now_ns() >= until_ns) {
			return false;
		}
		wait_while(&cell->struck, struck, until_ns);
	}
	return true;
}

void failpoint_cell_stay(struct failpoint_cell *cell, uint32_t released,
			 int timeout_ms)
{
	int64_t until_ns = timeout_ms == 0 ? CLOCK_NEVER : in_ms(timeout_ms);

	while (atomic_load(&cell->released) == released &&
	       clock_now_ns() < until_ns) {
		wait_while(&cell->released, released, until_ns);
	}
}

/* ---- changing ----------------------------------------------------------- */

void failpoint_cell_arm(struct failpoint_cell *cell,
			const struct failpoint_order *order)
{
	atomic_store(&cell->order, failpoint_order_pack(order));
}

void failpoint_cell_release(struct failpoint_cell *cell)
{
	raise_and_wake(&cell->released);
}

void failpoint_cell_strike(struct failpoint_cell *cell)
{
	raise_and_wake(&cell->struck);
}
