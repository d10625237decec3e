#include "fake_record.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void copy(char *to, size_t size, const struct db_value *value)
{
	ck_assert_uint_lt(value->size, size);
	memcpy(to, value->data, value->size);
	to[value->size] = '\0';
}

static struct fake_record_row *find(struct fake_record *record,
				    const struct db_value *key)
{
	char coordinator[TWOPC_NAME_SIZE_MAX + 1];
	char id[TWOPC_NAME_SIZE_MAX + 1];

	copy(coordinator, sizeof(coordinator), &key[0]);
	copy(id, sizeof(id), &key[1]);
	for (size_t i = 0; i < record->rows_n; i++) {
		struct fake_record_row *row = &record->rows[i];

		if (strcmp(row->coordinator, coordinator) == 0 &&
		    strcmp(row->id, id) == 0) {
			return row;
		}
	}
	return NULL;
}

/* ---- statements --------------------------------------------------------- */

static void look(struct fake_record *record, const struct db_value *key,
		 db_row_fn on_row, void *arg)
{
	const struct fake_record_row *row = find(record, key);
	char id[TWOPC_NAME_SIZE_MAX + 1];
	struct db_value values[2] = { db_null(), db_null() };

	copy(id, sizeof(id), &key[1]);
	if (row != NULL) {
		values[0] = db_integer(row->row);
	}
	values[1] = db_integer(strcmp(record->below, id) > 0);
	(void)fake_row(on_row, arg, values, 2);
}

static void payload(struct fake_record *record, const struct db_value *key,
		    db_row_fn on_row, void *arg)
{
	const struct fake_record_row *row = find(record, key);
	struct db_value value;

	ck_assert_ptr_nonnull(row);
	value = db_blob(row->payload, row->payload_size);
	(void)fake_row(on_row, arg, &value, 1);
}

static void add(struct fake_record *record, const struct db_value *values)
{
	struct fake_record_row *row = &record->rows[record->rows_n];

	ck_assert_uint_lt(record->rows_n, FAKE_ROWS_MAX);
	ck_assert_ptr_null(find(record, values));
	record->rows_n++;
	memset(row, 0, sizeof(*row));
	copy(row->coordinator, sizeof(row->coordinator), &values[0]);
	copy(row->id, sizeof(row->id), &values[1]);
	row->row = (enum twopc_row)values[2].integer;
	if (values[3].type == DB_BLOB) {
		copy(row->payload, sizeof(row->payload), &values[3]);
		row->payload_size = values[3].size;
	}
	row->changed_ms = values[4].integer;
}

static void set(struct fake_record *record, const struct db_value *values)
{
	struct fake_record_row *row = find(record, values);

	ck_assert_ptr_nonnull(row);
	row->row = (enum twopc_row)values[2].integer;
	row->payload_size = 0;
	row->changed_ms = values[3].integer;
}

static void drop(struct fake_record *record, const struct db_value *key)
{
	struct fake_record_row *row = find(record, key);

	ck_assert_ptr_nonnull(row);
	*row = record->rows[--record->rows_n];
}

static void summary(struct fake_record *record, db_row_fn on_row, void *arg)
{
	struct db_value values[2] = { db_integer(0), db_null() };

	for (size_t i = 0; i < record->rows_n; i++) {
		const struct fake_record_row *row = &record->rows[i];

		if (row->row != TWOPC_ROW_PREPARED) {
			continue;
		}
		values[0].integer++;
		if (values[1].type == DB_NULL ||
		    values[1].integer > row->changed_ms) {
			values[1] = db_integer(row->changed_ms);
		}
	}
	(void)fake_row(on_row, arg, values, 2);
}

static void insert_task(struct fake_record *record,
			const struct db_value *values, size_t values_n)
{
	ck_assert_uint_eq(values_n, 2);
	record->inserts++;
	copy(record->task_id, sizeof(record->task_id), &values[0]);
	copy(record->data, sizeof(record->data), &values[1]);
}

static enum status_code exec(void *self, db_stmt stmt,
			     const struct db_value *values, size_t values_n,
			     db_row_fn on_row, void *arg, int64_t *ret_changes,
			     struct status *reterr)
{
	struct fake_record *record = self;

	(void)reterr;
	if (ret_changes != NULL) {
		*ret_changes = 0;
	}
	if (stmt < record->base) {
		insert_task(record, values, values_n);
		return STATUS_OK;
	}
	switch ((enum twopc_prepared_stmt)(stmt - record->base)) {
	case TWOPC_PREPARED_LOOK:
		look(record, values, on_row, arg);
		break;
	case TWOPC_PREPARED_PAYLOAD:
		payload(record, values, on_row, arg);
		break;
	case TWOPC_PREPARED_ADD:
		add(record, values);
		break;
	case TWOPC_PREPARED_SET:
		set(record, values);
		break;
	case TWOPC_PREPARED_DROP:
		drop(record, values);
		break;
	case TWOPC_PREPARED_SEAL:
		copy(record->below, sizeof(record->below), &values[1]);
		break;
	case TWOPC_PREPARED_SUMMARY:
		summary(record, on_row, arg);
		break;
	case TWOPC_PREPARED_DROP_TOMBSTONES:
		record->expiries++;
		break;
	case TWOPC_PREPARED_DROP_OVER:
	case TWOPC_PREPARED_DROP_SEALS:
		break;
	case TWOPC_PREPARED_LIST_ALL:
	case TWOPC_PREPARED_LIST_OF:
	case TWOPC_PREPARED_STMT_NR:
	default:
		ck_abort_msg("nobody expects statement %u here", stmt);
	}
	return STATUS_OK;
}

/* ---- for tests ---------------------------------------------------------- */

void fake_record_attach(struct fake_record *record, struct fake_db *fake,
			db_stmt base)
{
	memset(record, 0, sizeof(*record));
	record->base = base;
	fake->exec = exec;
	fake->exec_self = record;
}

void fake_record_set(struct fake_record *record, const char *coordinator,
		     const char *id, enum twopc_row row, const void *data,
		     size_t size)
{
	const struct db_value values[] = { db_text(coordinator), db_text(id),
					   db_integer(row), db_blob(data, size),
					   db_integer(1) };

	add(record, values);
}

enum twopc_row fake_record_get(struct fake_record *record,
			       const char *coordinator, const char *id)
{
	const struct db_value key[] = { db_text(coordinator), db_text(id) };
	const struct fake_record_row *row = find(record, key);

	return row != NULL ? row->row : TWOPC_ROW_NONE;
}
