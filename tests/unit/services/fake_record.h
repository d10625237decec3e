/*
 * The participant's record (twopc/prepared.h) in memory, for a fake_db: what
 * the statements of it do to rows, which a test sets and looks at. Other
 * statements are counted, as inserts of tasks.
 *
 *	fake_record_attach(&record, &fake_db, WORKER_STORE_TWOPC);
 *	fake_record_set(&record, "c", "1", TWOPC_ROW_PREPARED, payload, size);
 */
#ifndef RESCIND_TEST_FAKE_RECORD_H
#define RESCIND_TEST_FAKE_RECORD_H

#include "fake_db.h"
#include "twopc/prepared.h"

enum { FAKE_ROWS_MAX = 1024 };

struct fake_record_row {
	char coordinator[TWOPC_NAME_SIZE_MAX + 1];
	char id[TWOPC_NAME_SIZE_MAX + 1];
	enum twopc_row row;
	char payload[1024];
	size_t payload_size;
	int64_t changed_ms;
};

struct fake_record {
	db_stmt base;
	struct fake_record_row rows[FAKE_ROWS_MAX];
	size_t rows_n;
	char below[TWOPC_NAME_SIZE_MAX + 1]; /* of everybody */
	int inserts;
	char task_id[512]; /* of the last insert */
	char data[512];
	int expiries;
};

void fake_record_attach(struct fake_record *record, struct fake_db *fake,
			db_stmt base);
void fake_record_set(struct fake_record *record, const char *coordinator,
		     const char *id, enum twopc_row row, const void *payload,
		     size_t payload_size);
/* TWOPC_ROW_NONE where there is none. */
enum twopc_row fake_record_get(struct fake_record *record,
			       const char *coordinator, const char *id);

#endif
