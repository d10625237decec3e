/* The coordinator's record, in a real database. */
#include <stdio.h>
#include <string.h>

#include "store.h"
#include "suite.h"
#include "twopc/registry.h"

static struct store s;

static void setup(void)
{
	store_init(&s);
}

static void teardown(void)
{
	store_release(&s);
}

/* ---- shorthand ----------------------------------------------------------- */

static struct {
	int n;
	char ids[8][TWOPC_ID_SIZE];
	char note[32];
	int64_t decided_ms;
	enum status_code refuse_with;
} loaded;

static enum status_code on_loaded(struct twopc_opening *opening,
				  const struct twopc_decision *decision,
				  struct status *reterr)
{
	(void)opening;
	snprintf(loaded.ids[loaded.n], sizeof(loaded.ids[0]), "%s",
		 decision->id);
	snprintf(loaded.note, sizeof(loaded.note), "%s at %s", decision->note,
		 decision->participant);
	loaded.decided_ms = decision->decided_ms;
	loaded.n++;
	if (loaded.refuse_with != STATUS_OK) {
		return status_set(reterr, loaded.refuse_with, "no room");
	}
	return STATUS_OK;
}

static void on_opened(struct twopc_opening *opening,
		      const struct status *status)
{
	(void)opening;
	outcome_done(&s.outcome, status);
}

static enum status_code open_record(struct twopc_decisions *decisions)
{
	struct twopc_opening opening = { .loaded = on_loaded,
					 .done = on_opened };

	memset(&loaded.ids, 0, sizeof(loaded.ids));
	loaded.n = 0;
	twopc_decisions_open(decisions, s.root, &opening);
	return outcome_next(&s.outcome);
}

static void on_committed(const struct status *status, void *arg)
{
	(void)arg;
	outcome_done(&s.outcome, status);
}

/* Decide @id with a row of work, in one staged transaction. */
static enum status_code decide(const struct twopc_decisions *decisions,
			       const char *id)
{
	const struct db_value values[] = { db_text(id) };
	struct status err = status_ok();
	struct db_txn *txn;

	ck_assert_int_eq(db_txn_begin(s.db, s.root, &txn, &err), STATUS_OK);
	ck_assert_int_eq(db_txn_insert(txn, STORE_INSERT_WORK, values, 1, &err),
			 STATUS_OK);
	ck_assert_msg(twopc_decisions_insert(decisions, txn, id, "peer:1",
					     "request-1", &err) == STATUS_OK,
		      "%s", err.message);
	db_txn_commit(txn, on_committed, NULL);
	return outcome_next(&s.outcome);
}

static const char *id_of(const struct twopc_decisions *decisions, unsigned n)
{
	static char ids[4][TWOPC_ID_SIZE];
	static unsigned at;
	char *id = ids[at++ % 4];

	twopc_id_format(decisions->stem, n, id);
	return id;
}

static void on_forgotten(struct twopc_forgetting *forgetting,
			 const struct status *status)
{
	(void)forgetting;
	outcome_done(&s.outcome, status);
}

static enum status_code forget(struct twopc_decisions *decisions,
			       const char *first, const char *second)
{
	struct twopc_item items[2];
	struct twopc_forgetting forgetting = { .items = items,
					       .items_n = 2,
					       .done = on_forgotten };

	snprintf(items[0].id, sizeof(items[0].id), "%s", first);
	snprintf(items[1].id, sizeof(items[1].id), "%s", second);
	twopc_decisions_forget(decisions, s.root, &forgetting);
	return outcome_next(&s.outcome);
}

static int64_t decisions_n(void)
{
	return raw_int(&s, "SELECT count(*) FROM twopc_decisions");
}

static int64_t works(void)
{
	return raw_int(&s, "SELECT count(*) FROM work");
}

/* ---- who we are ---------------------------------------------------------- */

START_TEST(the_identity_is_made_once)
{
	char coordinator[TWOPC_UUID_SIZE];
	char stem[TWOPC_STEM_SIZE];

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	strcpy(coordinator, s.decisions.coordinator);
	strcpy(stem, s.decisions.stem);
	ck_assert_uint_eq(strlen(coordinator), TWOPC_UUID_SIZE - 1);
	ck_assert_uint_eq(strlen(stem), TWOPC_STEM_SIZE - 1);
	store_close(&s);
	store_open(&s);
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_str_eq(s.decisions.coordinator, coordinator);
	ck_assert_int_lt(strcmp(stem, s.decisions.stem), 0);
	ck_assert_int_eq(raw_int(&s, "SELECT count(*) FROM twopc_identity"), 1);
}
END_TEST

START_TEST(another_database_is_another_coordinator)
{
	struct store other;
	char coordinator[TWOPC_UUID_SIZE];

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	strcpy(coordinator, s.decisions.coordinator);
	other = s;
	store_init(&s);
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_str_ne(s.decisions.coordinator, coordinator);
	store_release(&s);
	s = other;
}
END_TEST

/* A clock that was set back does not make ids that sort before older ones. */
START_TEST(stems_rise_wherever_the_clock_stands)
{
	raw_exec(&s, "INSERT INTO twopc_identity VALUES (1, 'me',"
		     " 'fffffffffff0-00000000000000aa')");
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_str_eq(s.decisions.coordinator, "me");
	ck_assert_int_eq(strncmp(s.decisions.stem, "fffffffffff1-", 13), 0);
}
END_TEST

/* ---- deciding ------------------------------------------------------------ */

START_TEST(a_decision_and_the_rows_are_one_transaction)
{
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 1)),
			 STATUS_OK);
	ck_assert_int_eq(decisions_n(), 1);
	ck_assert_int_eq(works(), 1);
	/* The same once more: neither. */
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 1)),
			 STATUS_ALREADY_EXISTS);
	ck_assert_int_eq(decisions_n(), 1);
	ck_assert_int_eq(works(), 1);
}
END_TEST

START_TEST(decisions_are_loaded_in_order)
{
	char ids[3][TWOPC_ID_SIZE];

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(loaded.n, 0);
	for (int i = 0; i < 3; i++) {
		strcpy(ids[i], id_of(&s.decisions, i == 0 ? 255 : i));
		ck_assert_int_eq(decide(&s.decisions, ids[i]), STATUS_OK);
	}
	store_close(&s);
	store_open(&s);
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(loaded.n, 3);
	ck_assert_str_eq(loaded.ids[0], ids[1]);
	ck_assert_str_eq(loaded.ids[1], ids[2]);
	ck_assert_str_eq(loaded.ids[2], ids[0]);
	ck_assert_str_eq(loaded.note, "request-1 at peer:1");
	ck_assert_int_gt(loaded.decided_ms, INT64_C(1600000000000));
}
END_TEST

START_TEST(they_are_what_the_registry_takes)
{
	struct twopc_registry *registry;
	struct status err = status_ok();

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 1)),
			 STATUS_OK);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 2)),
			 STATUS_OK);
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	registry = twopc_registry_new(s.decisions.stem, 10);
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(twopc_registry_load(registry, loaded.ids[i], 0,
						  &err) == STATUS_OK,
			      "%s", err.message);
	}
	twopc_registry_free(registry);
}
END_TEST

START_TEST(a_load_that_is_refused_refuses_the_opening)
{
	char stem[TWOPC_STEM_SIZE];

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 1)),
			 STATUS_OK);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 2)),
			 STATUS_OK);
	strcpy(stem, s.decisions.stem);
	loaded.refuse_with = STATUS_RESOURCE_EXHAUSTED;
	ck_assert_int_eq(open_record(&s.decisions), STATUS_RESOURCE_EXHAUSTED);
	ck_assert_str_eq(s.outcome.last.message, "no room");
	ck_assert_int_eq(loaded.n, 1);
	/* And nothing was taken over. */
	ck_assert_str_eq(s.decisions.stem, stem);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 3)),
			 STATUS_OK);
	loaded.refuse_with = STATUS_OK;
}
END_TEST

/* ---- two processes on one file ------------------------------------------- */

START_TEST(who_was_taken_over_decides_and_forgets_nothing_more)
{
	struct twopc_decisions before;
	char id[TWOPC_ID_SIZE];

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	before = s.decisions;
	strcpy(id, id_of(&before, 1));
	ck_assert_int_eq(decide(&before, id), STATUS_OK);
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(loaded.n, 1);
	ck_assert_int_eq(decide(&before, id_of(&before, 2)),
			 STATUS_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(s.outcome.last.message, "taken over"));
	ck_assert_int_eq(works(), 1);
	ck_assert_int_eq(forget(&before, id, id), STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(decisions_n(), 1);
	ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, 1)),
			 STATUS_OK);
	ck_assert_int_eq(forget(&s.decisions, id, id), STATUS_OK);
	ck_assert_int_eq(decisions_n(), 1);
}
END_TEST

/* ---- forgetting and looking ---------------------------------------------- */

START_TEST(what_is_forgotten_is_not_loaded)
{
	char first[TWOPC_ID_SIZE];

	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	strcpy(first, id_of(&s.decisions, 1));
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, i)),
				 STATUS_OK);
	}
	ck_assert_int_eq(forget(&s.decisions, id_of(&s.decisions, 2),
				id_of(&s.decisions, 3)),
			 STATUS_OK);
	/* Once more is nothing. */
	ck_assert_int_eq(forget(&s.decisions, id_of(&s.decisions, 2),
				id_of(&s.decisions, 3)),
			 STATUS_OK);
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	ck_assert_int_eq(loaded.n, 1);
	ck_assert_str_eq(loaded.ids[0], first);
	ck_assert_int_eq(works(), 3);
}
END_TEST

static char seen[3][TWOPC_ID_SIZE];
static int seen_n;

static void on_row(struct twopc_decisions_page *page,
		   const struct twopc_decision *decision)
{
	(void)page;
	snprintf(seen[seen_n++], TWOPC_ID_SIZE, "%s", decision->id);
}

static void on_page(struct twopc_decisions_page *page,
		    const struct status *status)
{
	(void)page;
	outcome_done(&s.outcome, status);
}

static void page(const char *after)
{
	struct twopc_decisions_page page = {
		.after = after, .rows_max = 2, .row = on_row, .done = on_page
	};

	seen_n = 0;
	twopc_decisions_list(&s.decisions, s.root, &page);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
}

START_TEST(decisions_are_listed_in_pages)
{
	ck_assert_int_eq(open_record(&s.decisions), STATUS_OK);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(decide(&s.decisions, id_of(&s.decisions, i)),
				 STATUS_OK);
	}
	page("");
	ck_assert_int_eq(seen_n, 2);
	ck_assert_str_eq(seen[0], id_of(&s.decisions, 1));
	page(id_of(&s.decisions, 2));
	ck_assert_int_eq(seen_n, 1);
	ck_assert_str_eq(seen[0], id_of(&s.decisions, 3));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("decisions");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_identity_is_made_once);
	tcase_add_test(tc, another_database_is_another_coordinator);
	tcase_add_test(tc, stems_rise_wherever_the_clock_stands);
	tcase_add_test(tc, a_decision_and_the_rows_are_one_transaction);
	tcase_add_test(tc, decisions_are_loaded_in_order);
	tcase_add_test(tc, they_are_what_the_registry_takes);
	tcase_add_test(tc, a_load_that_is_refused_refuses_the_opening);
	tcase_add_test(tc, who_was_taken_over_decides_and_forgets_nothing_more);
	tcase_add_test(tc, what_is_forgotten_is_not_loaded);
	tcase_add_test(tc, decisions_are_listed_in_pages);
	return suite_run("twopc decisions", tc);
}
