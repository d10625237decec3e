/* Every event in every state, and what holds of every course of events. */
#include "suite.h"
#include "twopc/participant.h"

/* ---- every event in every state ----------------------------------------- */

enum { EVENTS_NR = TWOPC_PARTICIPANT_EVENT_NR, PATH_SIZE = 6 };
#define END  EVENTS_NR
#define S(s) TWOPC_PARTICIPANT_##s
/* What no owner may do. */
#define BUG                                                                    \
	{                                                                      \
		TWOPC_PARTICIPANT_STATE_NR, 0                                  \
	}
#define STAY(s)                                                                \
	{                                                                      \
		S(s), 0                                                        \
	}
#define NO_STORE_EXPECTED                                                      \
	[TWOPC_AT_STORED_PREPARED] = BUG, [TWOPC_AT_STORED_COMMITTED] = BUG,   \
	[TWOPC_AT_STORED_ROLLED_BACK] = BUG, [TWOPC_AT_STORED_UNKNOWN] = BUG,  \
	[TWOPC_AT_STORE_FAILED] = BUG

struct outcome {
	enum twopc_participant_state to;
	unsigned todo;
};

/* How to get to a state, and what each event does there. */
static const struct row {
	const char *name;
	enum twopc_participant_state state;
	int path[PATH_SIZE];
	struct outcome on[EVENTS_NR];
} table[] = {
	{ "open",
	  S(OPEN),
	  { END },
	  {
		  [TWOPC_AT_PREPARE] = { S(WORKING), TWOPC_WORK },
		  [TWOPC_AT_COMMIT] = { S(COMMITTING), TWOPC_STORE_COMMIT },
		  [TWOPC_AT_ROLLBACK] = { S(UNDOING), TWOPC_STORE_ROLLBACK },
		  [TWOPC_AT_LINK_LOST] = { S(ROLLED_BACK), TWOPC_FINISH },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = { S(ROLLED_BACK),
					     TWOPC_REFUSE | TWOPC_FINISH },
		  NO_STORE_EXPECTED,
	  } },
	{ "working",
	  S(WORKING),
	  { TWOPC_AT_PREPARE, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(WORKING),
		  [TWOPC_AT_COMMIT] = { S(COMMITTING),
					TWOPC_STOP_WORK | TWOPC_STORE_COMMIT },
		  [TWOPC_AT_ROLLBACK] = { S(ROLLED_BACK),
					  TWOPC_STOP_WORK |
						  TWOPC_SEND_ROLLED_BACK |
						  TWOPC_FINISH },
		  [TWOPC_AT_LINK_LOST] = { S(ROLLED_BACK),
					   TWOPC_STOP_WORK | TWOPC_FINISH },
		  [TWOPC_AT_WORK_DONE] = { S(PREPARING), TWOPC_STORE_PREPARE },
		  [TWOPC_AT_WORK_FAILED] = { S(ROLLED_BACK),
					     TWOPC_REFUSE | TWOPC_FINISH },
		  NO_STORE_EXPECTED,
	  } },
	{ "preparing",
	  S(PREPARING),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(PREPARING),
		  [TWOPC_AT_COMMIT] = STAY(PREPARING),
		  [TWOPC_AT_ROLLBACK] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_LINK_LOST] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(PREPARING),
		  [TWOPC_AT_STORED_PREPARED] = { S(PREPARED),
						 TWOPC_SEND_PREPARED },
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED),
						  TWOPC_SEND_COMMITTED |
							  TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(ROLLED_BACK),
						    TWOPC_SEND_ROLLED_BACK |
							    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(ROLLED_BACK),
						TWOPC_REFUSE | TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(ROLLED_BACK),
					      TWOPC_REFUSE | TWOPC_FINISH },
	  } },
	{ "preparing, commit came",
	  S(PREPARING),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, TWOPC_AT_COMMIT, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(PREPARING),
		  [TWOPC_AT_COMMIT] = STAY(PREPARING),
		  [TWOPC_AT_ROLLBACK] = STAY(PREPARING), /* the first counts */
		  [TWOPC_AT_LINK_LOST] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(PREPARING),
		  [TWOPC_AT_STORED_PREPARED] = { S(COMMITTING),
						 TWOPC_STORE_COMMIT },
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED),
						  TWOPC_SEND_COMMITTED |
							  TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(ROLLED_BACK),
						    TWOPC_SEND_ROLLED_BACK |
							    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(ROLLED_BACK),
						TWOPC_REFUSE | TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(ROLLED_BACK),
					      TWOPC_REFUSE | TWOPC_FINISH },
	  } },
	{ "preparing, rollback came",
	  S(PREPARING),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, TWOPC_AT_ROLLBACK, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(PREPARING),
		  [TWOPC_AT_COMMIT] = STAY(PREPARING), /* the first counts */
		  [TWOPC_AT_ROLLBACK] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_LINK_LOST] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(PREPARING),
		  [TWOPC_AT_STORED_PREPARED] = { S(UNDOING),
						 TWOPC_STORE_ROLLBACK },
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED),
						  TWOPC_SEND_COMMITTED |
							  TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(ROLLED_BACK),
						    TWOPC_SEND_ROLLED_BACK |
							    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(ROLLED_BACK),
						TWOPC_SEND_ROLLED_BACK |
							TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(ROLLED_BACK),
					      TWOPC_SEND_ROLLED_BACK |
						      TWOPC_FINISH },
	  } },
	{ "preparing, link lost",
	  S(PREPARING),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, TWOPC_AT_LINK_LOST, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(PREPARING),
		  [TWOPC_AT_COMMIT] = STAY(PREPARING),
		  [TWOPC_AT_ROLLBACK] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_LINK_LOST] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(PREPARING),
		  [TWOPC_AT_STORED_PREPARED] = { S(IN_DOUBT), TWOPC_FINISH },
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED), TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(ROLLED_BACK),
						    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(ROLLED_BACK), TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(ROLLED_BACK), TWOPC_FINISH },
	  } },
	{ "preparing, rollback came, link lost",
	  S(PREPARING),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, TWOPC_AT_ROLLBACK,
	    TWOPC_AT_LINK_LOST, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(PREPARING),
		  [TWOPC_AT_COMMIT] = STAY(PREPARING),
		  [TWOPC_AT_ROLLBACK] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_LINK_LOST] = { S(PREPARING), TWOPC_HURRY },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(PREPARING),
		  [TWOPC_AT_STORED_PREPARED] = { S(UNDOING),
						 TWOPC_STORE_ROLLBACK },
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED), TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(ROLLED_BACK),
						    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(ROLLED_BACK), TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(ROLLED_BACK), TWOPC_FINISH },
	  } },
	{ "prepared",
	  S(PREPARED),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, TWOPC_AT_STORED_PREPARED,
	    END },
	  {
		  [TWOPC_AT_PREPARE] = { S(PREPARED), TWOPC_SEND_PREPARED },
		  [TWOPC_AT_COMMIT] = { S(COMMITTING), TWOPC_STORE_COMMIT },
		  [TWOPC_AT_ROLLBACK] = { S(UNDOING), TWOPC_STORE_ROLLBACK },
		  [TWOPC_AT_LINK_LOST] = { S(IN_DOUBT), TWOPC_FINISH },
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(PREPARED),
		  NO_STORE_EXPECTED,
	  } },
	{ "committing",
	  S(COMMITTING),
	  { TWOPC_AT_COMMIT, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(COMMITTING),
		  [TWOPC_AT_COMMIT] = STAY(COMMITTING),
		  [TWOPC_AT_ROLLBACK] = STAY(COMMITTING),
		  [TWOPC_AT_LINK_LOST] = STAY(COMMITTING),
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(COMMITTING),
		  [TWOPC_AT_STORED_PREPARED] = BUG,
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED),
						  TWOPC_SEND_COMMITTED |
							  TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(REFUSED),
						    TWOPC_REFUSE |
							    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(REFUSED),
						TWOPC_REFUSE | TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(IN_DOUBT),
					      TWOPC_REFUSE | TWOPC_FINISH },
	  } },
	{ "committing, link lost",
	  S(COMMITTING),
	  { TWOPC_AT_COMMIT, TWOPC_AT_LINK_LOST, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(COMMITTING),
		  [TWOPC_AT_COMMIT] = STAY(COMMITTING),
		  [TWOPC_AT_ROLLBACK] = STAY(COMMITTING),
		  [TWOPC_AT_LINK_LOST] = STAY(COMMITTING),
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(COMMITTING),
		  [TWOPC_AT_STORED_PREPARED] = BUG,
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED), TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(REFUSED), TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(REFUSED), TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(IN_DOUBT), TWOPC_FINISH },
	  } },
	{ "undoing",
	  S(UNDOING),
	  { TWOPC_AT_ROLLBACK, END },
	  {
		  [TWOPC_AT_PREPARE] = STAY(UNDOING),
		  [TWOPC_AT_COMMIT] = STAY(UNDOING),
		  [TWOPC_AT_ROLLBACK] = STAY(UNDOING),
		  [TWOPC_AT_LINK_LOST] = STAY(UNDOING),
		  [TWOPC_AT_WORK_DONE] = BUG,
		  [TWOPC_AT_WORK_FAILED] = STAY(UNDOING),
		  [TWOPC_AT_STORED_PREPARED] = BUG,
		  [TWOPC_AT_STORED_COMMITTED] = { S(COMMITTED),
						  TWOPC_SEND_COMMITTED |
							  TWOPC_FINISH },
		  [TWOPC_AT_STORED_ROLLED_BACK] = { S(ROLLED_BACK),
						    TWOPC_SEND_ROLLED_BACK |
							    TWOPC_FINISH },
		  [TWOPC_AT_STORED_UNKNOWN] = { S(ROLLED_BACK),
						TWOPC_SEND_ROLLED_BACK |
							TWOPC_FINISH },
		  [TWOPC_AT_STORE_FAILED] = { S(IN_DOUBT),
					      TWOPC_REFUSE | TWOPC_FINISH },
	  } },
#define OVER(s)                                                                \
	{                                                                      \
		[TWOPC_AT_PREPARE] = STAY(s), [TWOPC_AT_COMMIT] = STAY(s),     \
		[TWOPC_AT_ROLLBACK] = STAY(s), [TWOPC_AT_LINK_LOST] = STAY(s), \
		[TWOPC_AT_WORK_DONE] = BUG, [TWOPC_AT_WORK_FAILED] = STAY(s),  \
		NO_STORE_EXPECTED                                              \
	}
	{ "committed",
	  S(COMMITTED),
	  { TWOPC_AT_COMMIT, TWOPC_AT_STORED_COMMITTED, END },
	  OVER(COMMITTED) },
	{ "rolled back",
	  S(ROLLED_BACK),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_FAILED, END },
	  OVER(ROLLED_BACK) },
	{ "refused",
	  S(REFUSED),
	  { TWOPC_AT_COMMIT, TWOPC_AT_STORED_UNKNOWN, END },
	  OVER(REFUSED) },
	{ "left in doubt",
	  S(IN_DOUBT),
	  { TWOPC_AT_PREPARE, TWOPC_AT_WORK_DONE, TWOPC_AT_STORED_PREPARED,
	    TWOPC_AT_LINK_LOST, END },
	  OVER(IN_DOUBT) },
};
enum { TABLE_NR = sizeof(table) / sizeof(table[0]) };

static void go(struct twopc_participant *p, const struct row *row)
{
	twopc_participant_init(p);
	for (int i = 0; row->path[i] != END; i++) {
		(void)twopc_participant_step(
			p, (enum twopc_participant_event)row->path[i]);
	}
	ck_assert_int_eq(p->state, row->state);
}

struct
try {
	struct twopc_participant p;
	enum twopc_participant_event event;
};

static void step_it(void *arg)
{
	struct try *try = arg;

	(void)twopc_participant_step(&try->p, try->event);
}

START_TEST(every_event_in_every_state)
{
	const struct row *row = &table[_i];

	for (int event = 0; event < EVENTS_NR; event++) {
		const struct outcome *want = &row->on[event];
		struct try try = {
			.event = (enum twopc_participant_event)event
		};
		unsigned todo;

		go(&try.p, row);
		if (want->to == TWOPC_PARTICIPANT_STATE_NR) {
			ck_assert_msg(aborts(step_it, &try), "%s: %s",
				      row->name,
				      twopc_participant_event_name(try.event));
			continue;
		}
		todo = twopc_participant_step(&try.p, try.event);
		ck_assert_msg(try.p.state == want->to && todo == want->todo,
			      "%s, %s: %s, to do %#x instead of %#x", row->name,
			      twopc_participant_event_name(try.event),
			      twopc_participant_state_name(try.p.state), todo,
			      want->todo);
	}
}
END_TEST

START_TEST(every_state_is_in_the_table)
{
	unsigned seen = 0;

	for (int i = 0; i < TABLE_NR; i++) {
		seen |= 1U << table[i].state;
	}
	ck_assert_uint_eq(seen, (1U << TWOPC_PARTICIPANT_STATE_NR) - 1);
}
END_TEST

/* ---- every course of events, over a record ------------------------------- */

/* The stream, the row that it works on, and what was said so far. */
struct course {
	struct twopc_participant p;
	enum twopc_row row;
	enum twopc_order order; /* under way, where @storing */
	bool storing, working;
	bool commit_came, rollback_came;
	unsigned said;
	int depth;
};

static void store(struct course *course, enum twopc_order order)
{
	course->storing = true;
	course->order = order;
}

static void apply(struct course *course, unsigned todo)
{
	if (todo & (TWOPC_STOP_WORK | TWOPC_FINISH)) {
		course->working = false;
	}
	if (todo & TWOPC_WORK) {
		course->working = true;
	}
	if (todo & TWOPC_STORE_PREPARE) {
		course->working = false;
		store(course, TWOPC_ORDER_PREPARE);
	}
	if (todo & TWOPC_STORE_COMMIT) {
		store(course, TWOPC_ORDER_COMMIT);
	}
	if (todo & TWOPC_STORE_ROLLBACK) {
		store(course, TWOPC_ORDER_ROLLBACK);
	}
	course->said |=
		todo & (TWOPC_SEND_PREPARED | TWOPC_SEND_COMMITTED |
			TWOPC_SEND_ROLLED_BACK | TWOPC_REFUSE | TWOPC_FINISH);
}

static enum twopc_row row_after(enum twopc_row row, enum twopc_effect effect)
{
	switch (effect) {
	case TWOPC_EFFECT_NONE:
		return row;
	case TWOPC_EFFECT_ADD_PREPARED:
		return TWOPC_ROW_PREPARED;
	case TWOPC_EFFECT_APPLY:
		return TWOPC_ROW_COMMITTED;
	case TWOPC_EFFECT_DROP:
		return TWOPC_ROW_NONE;
	case TWOPC_EFFECT_ADD_ROLLED_BACK:
	case TWOPC_EFFECT_UNDO:
	default:
		return TWOPC_ROW_ROLLED_BACK;
	}
}

/* Carry out what is under way, or fail to. */
static enum twopc_participant_event finish_store(struct course *course,
						 bool fail)
{
	struct twopc_ruling ruling =
		twopc_rule(course->order, course->row, false);

	course->storing = false;
	if (fail) {
		return TWOPC_AT_STORE_FAILED;
	}
	course->row = row_after(course->row, ruling.effect);
	return twopc_participant_stored(ruling.verdict);
}

/* What may happen next: an event, or the end of what is under way. */
enum choice {
	PREPARE_COMES,
	COMMIT_COMES,
	ROLLBACK_COMES,
	LINK_IS_LOST,
	WORK_IS_DONE,
	WORK_FAILS,
	STORE_ENDS,
	STORE_FAILS,
	CHOICES_NR
};

static bool take(struct course *course, enum choice choice,
		 enum twopc_participant_event *ret_event)
{
	switch (choice) {
	case PREPARE_COMES:
		*ret_event = TWOPC_AT_PREPARE;
		return true;
	case COMMIT_COMES:
		course->commit_came = true;
		*ret_event = TWOPC_AT_COMMIT;
		return true;
	case ROLLBACK_COMES:
		course->rollback_came = true;
		*ret_event = TWOPC_AT_ROLLBACK;
		return true;
	case LINK_IS_LOST:
		*ret_event = TWOPC_AT_LINK_LOST;
		return true;
	case WORK_IS_DONE:
		*ret_event = TWOPC_AT_WORK_DONE;
		return course->working;
	case WORK_FAILS:
		*ret_event = TWOPC_AT_WORK_FAILED;
		return true;
	case STORE_ENDS:
	case STORE_FAILS:
		if (!course->storing) {
			return false;
		}
		*ret_event = finish_store(course, choice == STORE_FAILS);
		return true;
	case CHOICES_NR:
	default:
		return false;
	}
}

/* NULL, or what does not hold. @first is the row at the start. */
static const char *problem(const struct course *before, unsigned todo,
			   const struct course *after, enum twopc_row first)
{
	const struct twopc_participant *p = &after->p;

	if ((before->said & TWOPC_FINISH) && todo != 0) {
		return "something after the end";
	}
	if (twopc_participant_is_over(p) !=
	    ((after->said & TWOPC_FINISH) != 0)) {
		return "over without an end, or an end without being over";
	}
	if (before->p.link_lost &&
	    (todo & ~(TWOPC_FINISH | TWOPC_HURRY | TWOPC_STORE_COMMIT |
		      TWOPC_STORE_ROLLBACK))) {
		return "something is sent on a link that is lost";
	}
	if ((todo & TWOPC_SEND_PREPARED) && after->row != TWOPC_ROW_PREPARED) {
		return "'prepared' without a row";
	}
	if ((todo & TWOPC_SEND_COMMITTED) &&
	    after->row != TWOPC_ROW_COMMITTED) {
		return "'committed' without a row";
	}
	if ((todo & TWOPC_SEND_ROLLED_BACK) && first == TWOPC_ROW_NONE &&
	    after->row != TWOPC_ROW_NONE &&
	    after->row != TWOPC_ROW_ROLLED_BACK) {
		return "'rolled back', and the row is there";
	}
	if (after->row == TWOPC_ROW_COMMITTED && first != TWOPC_ROW_COMMITTED &&
	    !after->commit_came) {
		return "committed by itself";
	}
	if (after->row == TWOPC_ROW_ROLLED_BACK &&
	    first != TWOPC_ROW_ROLLED_BACK && !after->rollback_came) {
		return "a row rolled back by itself";
	}
	if ((after->said & TWOPC_FINISH) && after->storing) {
		return "an end while something is under way";
	}
	return NULL;
}

static unsigned long courses;

static void walk(const struct course *before, enum twopc_row first)
{
	if (before->depth == 7) {
		courses++;
		return;
	}
	for (int choice = 0; choice < CHOICES_NR; choice++) {
		struct course after = *before;
		enum twopc_participant_event event;
		const char *wrong;
		unsigned todo;

		if (!take(&after, (enum choice)choice, &event)) {
			continue;
		}
		todo = twopc_participant_step(&after.p, event);
		apply(&after, todo);
		after.depth++;
		wrong = problem(before, todo, &after, first);
		if (wrong != NULL) {
			ck_abort_msg(
				"%s, %s: %s",
				twopc_participant_state_name(before->p.state),
				twopc_participant_event_name(event), wrong);
		}
		walk(&after, first);
	}
}

/* Whatever an earlier stream has left. */
START_TEST(what_holds_of_every_course_of_seven_events)
{
	struct course start = { .row = (enum twopc_row)_i };

	walk(&start, start.row);
	ck_assert_uint_gt(courses, 100000);
}
END_TEST

START_TEST(everything_has_a_name)
{
	for (int i = 0; i < TWOPC_PARTICIPANT_STATE_NR; i++) {
		ck_assert_str_ne(twopc_participant_state_name(
					 (enum twopc_participant_state)i),
				 "?");
	}
	for (int i = 0; i < EVENTS_NR; i++) {
		ck_assert_str_ne(twopc_participant_event_name(
					 (enum twopc_participant_event)i),
				 "?");
	}
	ck_assert_str_eq(
		twopc_participant_state_name(TWOPC_PARTICIPANT_STATE_NR), "?");
	ck_assert_str_eq(
		twopc_participant_event_name(TWOPC_PARTICIPANT_EVENT_NR), "?");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("participant");

	tcase_add_loop_test(tc, every_event_in_every_state, 0, TABLE_NR);
	tcase_add_test(tc, every_state_is_in_the_table);
	tcase_add_loop_test(tc, what_holds_of_every_course_of_seven_events, 0,
			    TWOPC_ROW_NR);
	tcase_add_test(tc, everything_has_a_name);
	return suite_run("twopc participant", tc);
}
