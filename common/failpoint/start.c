/* What the environment says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint/points.h"

enum { EXIT_USAGE = 2 };

static _Noreturn void refuse(const char *variable, const struct status *why)
{
	fprintf(stderr, "%s: %s\n", variable, why->message);
	_exit(EXIT_USAGE);
}

static _Noreturn void print_names(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%s\n", failpoint_at(i)->name);
	}
	_exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* The points move into the file. */
static void fill(struct failpoint_table *table)
{
	for (uint32_t i = 0; i < table->cells_n; i++) {
		struct failpoint *point = failpoint_at(i);

		memcpy(&table->cells[i], &point->own, sizeof(point->own));
		point->cell = &table->cells[i];
	}
}

/* For as long as the process lives. */
static void share(const char *path, size_t n)
{
	struct failpoint_table *table;
	struct status why;

	if (failpoint_table_create(path, n, fill, &table, &why) != STATUS_OK) {
		refuse("RESCIND_FAILPOINTS_CONTROL", &why);
	}
}

static void obey(const char *orders)
{
	struct status why;

	if (failpoint_arm(orders, &why) != STATUS_OK) {
		refuse("RESCIND_FAILPOINTS", &why);
	}
}

void failpoint_start(void)
{
	const char *orders = getenv("RESCIND_FAILPOINTS");
	const char *control = getenv("RESCIND_FAILPOINTS_CONTROL");
	size_t n = failpoint_sort();

	if (orders != NULL && strcmp(orders, "list") == 0) {
		print_names(n);
	}
	if (control != NULL && control[0] != '\0') {
		share(control, n);
	}
	if (orders != NULL && orders[0] != '\0') {
		obey(orders);
	}
}
