#include "harness/faults.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/run.h"

enum { ORDERS, CONTROL, FORGET };

/* ---- all its points ------------------------------------------------------ */

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		n += *text == '\n';
	}
	return n;
}

static void read_points(struct faults *faults, const char *list)
{
	faults->points_n = count_lines(list);
	faults->points = calloc(faults->points_n + 1, sizeof(*faults->points));
	ck_assert_ptr_nonnull(faults->points);
	for (size_t i = 0; i < faults->points_n; i++) {
		size_t size = strcspn(list, "\n");

		ck_assert_uint_lt(size, FAILPOINT_NAME_SIZE);
		memcpy(faults->points[i].name, list, size);
		list += size + 1;
	}
}

static struct fault_point *find(struct faults *faults, const char *name)
{
	for (size_t i = 0; i < faults->points_n; i++) {
		if (strcmp(faults->points[i].name, name) == 0) {
			return &faults->points[i];
		}
	}
	ck_abort_msg("%s has no point '%s'", faults->program, name);
}

static void list_points(struct faults *faults)
{
	static const char *const list[] = { "RESCIND_FAILPOINTS=list", NULL };
	const struct process_options options = { .env = list, .faulty = true };
	struct outcome outcome;

	run(&outcome, faults->program, &options, (const char *const[]){ NULL });
	ck_assert_msg(outcome.code == 0, "%s: %s", faults->program,
		      outcome.text);
	read_points(faults, outcome.text);
	ck_assert_uint_gt(faults->points_n, 0);
}

void faults_init(struct faults *faults, const char *program, const char *dir)
{
	memset(faults, 0, sizeof(*faults));
	faults->program = program;
	snprintf(faults->control, PATH_SIZE, "%s/%s.control", dir, program);
	snprintf(faults->environment[CONTROL],
		 sizeof(faults->environment[CONTROL]),
		 "RESCIND_FAILPOINTS_CONTROL=%s", faults->control);
	faults->process =
		(struct process_options){ .env = faults->env, .faulty = true };
	faults_order_at_start(faults, NULL);
	list_points(faults);
}

void faults_release(struct faults *faults)
{
	failpoint_table_unmap(faults->table);
	free(faults->points);
	memset(faults, 0, sizeof(*faults));
}

/* ---- before it starts ---------------------------------------------------- */

/* Those that say something. */
static void fill_environment(struct faults *faults)
{
	size_t n = 0;

	for (size_t i = 0; i < 3; i++) {
		if (faults->environment[i][0] != '\0') {
			faults->env[n++] = faults->environment[i];
		}
	}
	faults->env[n] = NULL;
}

void faults_order_at_start(struct faults *faults, const char *orders)
{
	int size =
		snprintf(faults->environment[ORDERS],
			 sizeof(faults->environment[ORDERS]),
			 "RESCIND_FAILPOINTS=%s", orders != NULL ? orders : "");

	ck_assert_int_lt(size, (int)sizeof(faults->environment[ORDERS]));
	fill_environment(faults);
}

void faults_forget(struct faults *faults, uint64_t seed)
{
	snprintf(faults->environment[FORGET],
		 sizeof(faults->environment[FORGET]), "RESCIND_FORGET=%llu",
		 (unsigned long long)seed);
	fill_environment(faults);
}

void faults_remember(struct faults *faults)
{
	faults->environment[FORGET][0] = '\0';
	fill_environment(faults);
}

bool faults_forgets(const struct faults *faults)
{
	return faults->environment[FORGET][0] != '\0';
}

/* ---- one life after another ---------------------------------------------- */

static struct failpoint_cell *cell_of(struct faults *faults, const char *name)
{
	return failpoint_table_find(faults->table, name);
}

/* What is in its table belongs to the past. */
static void bury(struct faults *faults)
{
	for (size_t i = 0; faults->table != NULL && i < faults->points_n; i++) {
		struct fault_point *point = &faults->points[i];
		struct failpoint_cell *cell = cell_of(faults, point->name);

		point->passes += atomic_load(&cell->passes);
		point->strikes += atomic_load(&cell->struck);
		point->struck = 0;
	}
	failpoint_table_unmap(faults->table);
	faults->table = NULL;
}

/*
 * See the table of its present life, or of its last one. The old file stays
 * mapped until then, so that the new one can't have its number.
 */
static void look(struct faults *faults)
{
	struct stat st = { 0 };
	struct status err;

	UNTIL(stat(faults->control, &st) == 0);
	if (faults->table != NULL && st.st_ino == faults->file) {
		return;
	}
	bury(faults);
	ck_assert_msg(failpoint_table_map(faults->control, &faults->table,
					  &err) == STATUS_OK,
		      "%s", err.message);
	ck_assert_ptr_nonnull(faults->table);
	ck_assert_uint_eq(faults->table->cells_n, faults->points_n);
	faults->file = st.st_ino;
}

void faults_order(struct faults *faults, const char *name, const char *text)
{
	struct fault_point *point = find(faults, name);
	struct failpoint_order order;
	struct failpoint_cell *cell;
	struct status err;

	look(faults);
	cell = cell_of(faults, name);
	ck_assert_msg(failpoint_order_parse(text, &order, &err) == STATUS_OK,
		      "%s", err.message);
	ck_assert_msg(order.action != FAILPOINT_FAIL || cell->answers,
		      "%s can't fail", name);
	point->struck = atomic_load(&cell->struck);
	failpoint_cell_arm(cell, &order);
}

void faults_await(struct faults *faults, const char *name)
{
	const struct fault_point *point = find(faults, name);

	look(faults);
	/* Some are passed but now and then: a checkpoint, once the log is full.
	 */
	ck_assert_msg(failpoint_cell_await(cell_of(faults, name),
					   point->struck + 1, 5 * PATIENCE_MS),
		      "%s does not get to %s", faults->program, name);
}

void faults_await_stop(struct faults *faults, struct process *process,
		       const char *name)
{
	faults_await(faults, name);
	process_await_stop(process);
}

void faults_let_go(struct faults *faults, const char *name)
{
	(void)find(faults, name);
	look(faults);
	failpoint_cell_release(cell_of(faults, name));
}

void faults_await_death(struct faults *faults, struct process *process,
			const char *name)
{
	const struct fault_point *point = find(faults, name);
	int code;

	ck_assert_msg(process_ends(process), "%s does not die at %s:\n%s",
		      faults->program, name, process_tail(process));
	code = process_wait(process);
	look(faults);
	ck_assert_msg(code == 128 + SIGKILL, "%s ended with %d, not at %s:\n%s",
		      faults->program, code, name, process_tail(process));
	ck_assert_msg(atomic_load(&cell_of(faults, name)->struck) ==
			      point->struck + 1,
		      "%s was killed, but not at %s", faults->program, name);
}

/* ---- what it passed ------------------------------------------------------ */

uint64_t faults_passes(struct faults *faults, const char *name)
{
	const struct fault_point *point = find(faults, name);

	look(faults);
	return point->passes + atomic_load(&cell_of(faults, name)->passes);
}

uint64_t faults_strikes(struct faults *faults, const char *name)
{
	const struct fault_point *point = find(faults, name);

	look(faults);
	return point->strikes + atomic_load(&cell_of(faults, name)->struck);
}

bool faults_is_among(const char *point, const char *const *names)
{
	for (; *names != NULL; names++) {
		size_t size = strlen(*names);
		bool begins = size > 0 && (*names)[size - 1] == '*';

		if (strncmp(point, *names, begins ? size - 1 : size + 1) == 0) {
			return true;
		}
	}
	return false;
}

size_t faults_points_among(struct faults *faults, const char *const *names)
{
	size_t n = 0;

	for (size_t i = 0; i < faults->points_n; i++) {
		n += faults_is_among(faults->points[i].name, names);
	}
	return n;
}

size_t faults_never_passed(struct faults *faults, const char *const *but)
{
	size_t n = 0;

	for (size_t i = 0; i < faults->points_n; i++) {
		const char *name = faults->points[i].name;

		if (faults_passes(faults, name) == 0 &&
		    !faults_is_among(name, but)) {
			fprintf(stderr, "%s never passed %s\n", faults->program,
				name);
			n++;
		}
	}
	return n;
}

size_t faults_points_struck(struct faults *faults)
{
	size_t n = 0;

	for (size_t i = 0; i < faults->points_n; i++) {
		n += faults_strikes(faults, faults->points[i].name) > 0;
	}
	return n;
}
