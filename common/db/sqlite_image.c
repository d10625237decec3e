#include "db/sqlite_image.h"

#include <stdlib.h>

#include "db/sqlite_conn.h"
#include "db/sqlite_error.h"

/* Small pages, as each table takes at least one; no map of pointers. */
#define MODEL_SETUP "PRAGMA page_size=1024; PRAGMA auto_vacuum=0;"

static enum status_code open_in_memory(sqlite3 **ret_db, struct status *reterr)
{
	return conn_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			 NULL, ret_db, reterr);
}

/* ---- the plan ----------------------------------------------------------- */

struct look {
	const struct staged_tables *tables;
	bool inserts; /* into a staged table */
	bool other;   /* anything that an image could not do for the file */
};

static bool is_staged(const struct staged_tables *tables, const char *name)
{
	for (size_t i = 0; i < tables->n; i++) {
		if (sqlite3_stricmp(tables->tables[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

/* Told by SQLite what the statement that it prepares is going to do. */
static int look_at_action(void *arg, int action, const char *a, const char *b,
			  const char *schema, const char *trigger)
{
	struct look *look = arg;

	(void)b;
	(void)schema;
	if (trigger != NULL || action == SQLITE_FUNCTION ||
	    action == SQLITE_SELECT) {
		return SQLITE_OK; /* several rows of VALUES are a SELECT */
	}
	if (action == SQLITE_INSERT && is_staged(look->tables, a)) {
		look->inserts = true;
	} else {
		look->other = true;
	}
	return SQLITE_OK;
}

static bool is_stageable(sqlite3 *image, const struct staged_tables *tables,
			 const char *sql)
{
	struct look look = { .tables = tables };
	sqlite3_stmt *stmt = NULL;
	int rc;

	(void)sqlite3_set_authorizer(image, look_at_action, &look);
	rc = sqlite3_prepare_v2(image, sql, -1, &stmt, NULL);
	(void)sqlite3_set_authorizer(image, NULL, NULL);
	sqlite3_finalize(stmt);
	return rc == SQLITE_OK && look.inserts && !look.other;
}

/* "DROP ..." of something that an image need not have; "" for nothing left. */
static int find_needless(sqlite3 *db, char *ret_sql, int size)
{
	static const char sql[] =
		"SELECT type, name FROM sqlite_schema WHERE type = 'trigger'"
		" UNION ALL SELECT 'index', l.name FROM sqlite_schema AS t,"
		" pragma_index_list(t.name) AS l WHERE t.type = 'table'"
		" AND l.origin = 'c' AND l.\"unique\" = 0 LIMIT 1";
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

	ret_sql[0] = '\0';
	if (rc != SQLITE_OK) {
		return rc;
	}
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		(void)sqlite3_snprintf(size, ret_sql, "DROP %s \"%w\"",
				       sqlite3_column_text(stmt, 0),
				       sqlite3_column_text(stmt, 1));
	}
	return sqlite3_finalize(stmt);
}

/*
 * What does not check the rows of one transaction by themselves goes: indexes
 * that are not UNIQUE cost at each insert, and triggers run when the rows are
 * published. (What they had inserted here would be published as well.)
 */
static int strip(sqlite3 *db)
{
	char sql[512];
	int rc;

	for (;;) {
		rc = find_needless(db, sql, sizeof(sql));
		if (rc != SQLITE_OK || sql[0] == '\0') {
			return rc;
		}
		rc = conn_exec(db, sql);
		if (rc != SQLITE_OK) {
			return rc;
		}
	}
}

static enum status_code open_model(struct image_plan *plan, const char *schema,
				   struct status *reterr)
{
	int rc;

	if (open_in_memory(&plan->model, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rc = conn_exec(plan->model, MODEL_SETUP);
	if (rc == SQLITE_OK) {
		rc = conn_exec(plan->model, schema);
	}
	if (rc == SQLITE_OK) {
		rc = strip(plan->model);
	}
	if (rc != SQLITE_OK) {
		(void)sqlite_fail(plan->model, rc, reterr);
		return status_wrap(reterr, "schema");
	}
	return STATUS_OK;
}

static void look_at_statements(struct image_plan *plan)
{
	plan->stageable = calloc(plan->statements_n + 1, sizeof(bool));
	if (plan->stageable == NULL) {
		sqlite_bug("out of memory");
	}
	for (size_t i = 0; i < plan->statements_n; i++) {
		plan->stageable[i] = is_stageable(plan->model, &plan->tables,
						  plan->statements[i]);
	}
}

enum status_code image_plan_init(struct image_plan *plan, const char *schema,
				 const char *const *tables,
				 const char *const *statements,
				 size_t statements_n, struct status *reterr)
{
	*plan = (struct image_plan){ .statements = statements,
				     .statements_n = statements_n };
	pthread_mutex_init(&plan->model_lock, NULL);
	if (open_model(plan, schema, reterr) != STATUS_OK ||
	    staged_tables_init(&plan->tables, plan->model, tables, reterr) !=
		    STATUS_OK) {
		image_plan_release(plan);
		return reterr->code;
	}
	look_at_statements(plan);
	return STATUS_OK;
}

void image_plan_release(struct image_plan *plan)
{
	staged_tables_release(&plan->tables);
	sqlite3_close(plan->model);
	free(plan->stageable);
	pthread_mutex_destroy(&plan->model_lock);
	plan->model = NULL;
	plan->stageable = NULL;
}

/* ---- an image ----------------------------------------------------------- */

static int prepare_all(struct image *image)
{
	const struct image_plan *plan = image->plan;
	int rc = conn_prepare(image->db, "BEGIN", &image->begin);

	if (rc == SQLITE_OK) {
		rc = conn_prepare(image->db, "ROLLBACK", &image->rollback);
	}
	for (size_t i = 0; i < plan->statements_n && rc == SQLITE_OK; i++) {
		if (plan->stageable[i]) {
			rc = conn_prepare(image->db, plan->statements[i],
					  &image->inserts[i]);
		}
	}
	for (size_t i = 0; i < plan->tables.n && rc == SQLITE_OK; i++) {
		rc = conn_prepare(image->db, plan->tables.tables[i].select_sql,
				  &image->selects[i]);
	}
	return rc;
}

static int copy_model(struct image_plan *plan, sqlite3 *to)
{
	sqlite3_backup *copy;
	int rc;

	pthread_mutex_lock(&plan->model_lock);
	copy = sqlite3_backup_init(to, "main", plan->model, "main");
	if (copy == NULL) {
		rc = sqlite3_extended_errcode(to);
	} else {
		(void)sqlite3_backup_step(copy, -1);
		rc = sqlite3_backup_finish(copy);
	}
	pthread_mutex_unlock(&plan->model_lock);
	return rc;
}

enum status_code image_open(struct image_plan *plan, struct image **ret_image,
			    struct status *reterr)
{
	size_t pointers_n = plan->statements_n + plan->tables.n;
	struct image *image =
		calloc(1, sizeof(*image) + pointers_n * sizeof(sqlite3_stmt *));
	int rc;

	if (image == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "out of memory");
	}
	image->plan = plan;
	image->inserts = (sqlite3_stmt **)(image + 1);
	image->selects = image->inserts + plan->statements_n;
	if (open_in_memory(&image->db, reterr) != STATUS_OK) {
		free(image);
		return reterr->code;
	}
	rc = copy_model(plan, image->db);
	if (rc == SQLITE_OK) {
		rc = prepare_all(image);
	}
	if (rc != SQLITE_OK) {
		(void)sqlite_fail(image->db, rc, reterr);
		image_close(image);
		return reterr->code;
	}
	*ret_image = image;
	return STATUS_OK;
}

void image_close(struct image *image)
{
	if (image == NULL) {
		return;
	}
	sqlite3_finalize(image->begin);
	sqlite3_finalize(image->rollback);
	for (size_t i = 0; i < image->plan->statements_n; i++) {
		sqlite3_finalize(image->inserts[i]);
	}
	for (size_t i = 0; i < image->plan->tables.n; i++) {
		sqlite3_finalize(image->selects[i]);
	}
	sqlite3_close(image->db);
	if (image->user != NULL) {
		image->user_free(image->user);
	}
	free(image);
}

enum status_code image_begin(struct image *image, struct status *reterr)
{
	int rc = conn_run(image->begin);

	return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(image->db, rc, reterr);
}

static sqlite3_stmt *insert_of(struct image *image, db_stmt stmt)
{
	if (stmt >= image->plan->statements_n) {
		sqlite_bug("there is no statement %u", stmt);
	}
	if (image->inserts[stmt] == NULL) {
		sqlite_bug("not an INSERT into a staged table: %s",
			   image->plan->statements[stmt]);
	}
	return image->inserts[stmt];
}

enum status_code image_insert(struct image *image, db_stmt stmt,
			      const struct db_value *values, size_t values_n,
			      struct status *reterr)
{
	sqlite3_stmt *insert = insert_of(image, stmt);
	int rc = conn_bind(insert, values, values_n);

	if (rc == SQLITE_OK) {
		rc = conn_run(insert);
	}
	return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(image->db, rc, reterr);
}

void image_rollback(struct image *image)
{
	/* An error may have ended the transaction already. */
	if (!sqlite3_get_autocommit(image->db) &&
	    conn_run(image->rollback) != SQLITE_OK) {
		sqlite_bug("a private image does not roll back: %s",
			   sqlite3_errmsg(image->db));
	}
}
