/* Every event in every state, and what holds of every course of events. */
#include <string.h>

#include "suite.h"
#include "twopc/coordinator.h"

/* ---- every event in every state ----------------------------------------- */

enum { EVENTS_NR = TWOPC_COORDINATOR_EVENT_NR, PATH_MAX_ = 6 };
#define END  EVENTS_NR
#define S(s) TWOPC_COORDINATOR_##s
/* What no owner may do. */
#define BUG                                                                    \
	{                                                                      \
		TWOPC_COORDINATOR_STATE_NR, 0                                  \
	}
#define STAY(s)                                                                \
	{                                                                      \
		S(s), 0                                                        \
	}

struct outcome {
	enum twopc_coordinator_state to;
	unsigned todo;
};

/* How to get to a state, and what each event does there. */
static const struct row {
	const char *name;
	enum twopc_coordinator_state state;
	int path[PATH_MAX_];
	struct outcome on[EVENTS_NR];
} table[] = {
	{ "open",
	  S(OPEN),
	  { END },
	  {
		  [TWOPC_BEGIN] = { S(PREPARING), TWOPC_SEND_PREPARE },
		  [TWOPC_VOTED_YES] = STAY(OPEN),
		  [TWOPC_VOTED_NO] = STAY(OPEN),
		  [TWOPC_LINK_LOST] = { S(ABORTED),
					TWOPC_UNDO | TWOPC_MARK_GONE |
						TWOPC_ANSWER_ABORTED |
						TWOPC_END },
		  [TWOPC_CONFIRMED] = STAY(OPEN),
		  [TWOPC_ROLLED_BACK] = STAY(OPEN),
		  [TWOPC_ABANDONED] = { S(ABORTED),
					TWOPC_UNDO | TWOPC_MARK_GONE |
						TWOPC_ANSWER_ABORTED |
						TWOPC_END },
		  [TWOPC_DECIDED] = BUG,
		  [TWOPC_DECISION_REFUSED] = BUG,
	  } },
	{ "preparing",
	  S(PREPARING),
	  { TWOPC_BEGIN, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = { S(DECIDING), TWOPC_DECIDE },
		  [TWOPC_VOTED_NO] = { S(ABORTED),
				       TWOPC_UNDO | TWOPC_MARK_GONE |
					       TWOPC_ANSWER_ABORTED |
					       TWOPC_END },
		  [TWOPC_LINK_LOST] = { S(ABORTED),
					TWOPC_UNDO | TWOPC_MARK_GONE |
						TWOPC_ANSWER_ABORTED |
						TWOPC_END | TWOPC_NUDGE },
		  [TWOPC_CONFIRMED] = { S(ABORTED),
					TWOPC_UNDO | TWOPC_MARK_GONE |
						TWOPC_ANSWER_ABORTED |
						TWOPC_END | TWOPC_NUDGE |
						TWOPC_CONTRADICTION },
		  [TWOPC_ROLLED_BACK] = { S(ABORTED),
					  TWOPC_UNDO | TWOPC_MARK_GONE |
						  TWOPC_ANSWER_ABORTED |
						  TWOPC_END },
		  [TWOPC_ABANDONED] = { S(ABORTING),
					TWOPC_UNDO | TWOPC_MARK_GONE |
						TWOPC_SEND_ROLLBACK |
						TWOPC_ANSWER_ABORTED },
		  [TWOPC_DECIDED] = BUG,
		  [TWOPC_DECISION_REFUSED] = BUG,
	  } },
	{ "deciding",
	  S(DECIDING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(DECIDING),
		  [TWOPC_VOTED_NO] = STAY(DECIDING),
		  [TWOPC_LINK_LOST] = STAY(DECIDING),
		  [TWOPC_CONFIRMED] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ROLLED_BACK] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ABANDONED] = STAY(DECIDING),
		  [TWOPC_DECIDED] = { S(COMMITTING),
				      TWOPC_MARK_DECIDED | TWOPC_SEND_COMMIT },
		  [TWOPC_DECISION_REFUSED] = { S(ABORTING),
					       TWOPC_MARK_GONE |
						       TWOPC_SEND_ROLLBACK |
						       TWOPC_ANSWER_ABORTED },
	  } },
	{ "deciding, abandoned",
	  S(DECIDING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_ABANDONED, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(DECIDING),
		  [TWOPC_VOTED_NO] = STAY(DECIDING),
		  [TWOPC_LINK_LOST] = STAY(DECIDING),
		  [TWOPC_CONFIRMED] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ROLLED_BACK] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ABANDONED] = STAY(DECIDING),
		  [TWOPC_DECIDED] = { S(COMMITTING),
				      TWOPC_MARK_DECIDED | TWOPC_SEND_COMMIT |
					      TWOPC_ANSWER_ACCEPTED },
		  [TWOPC_DECISION_REFUSED] = { S(ABORTING),
					       TWOPC_MARK_GONE |
						       TWOPC_SEND_ROLLBACK |
						       TWOPC_ANSWER_ABORTED },
	  } },
	{ "deciding, link lost",
	  S(DECIDING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_LINK_LOST, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(DECIDING),
		  [TWOPC_VOTED_NO] = STAY(DECIDING),
		  [TWOPC_LINK_LOST] = STAY(DECIDING),
		  [TWOPC_CONFIRMED] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ROLLED_BACK] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ABANDONED] = STAY(DECIDING),
		  [TWOPC_DECIDED] = { S(RESOLVING),
				      TWOPC_MARK_ORPHANED | TWOPC_NUDGE },
		  [TWOPC_DECISION_REFUSED] = { S(ABORTED),
					       TWOPC_MARK_GONE | TWOPC_NUDGE |
						       TWOPC_ANSWER_ABORTED |
						       TWOPC_END },
	  } },
	{ "deciding, refused by the peer, abandoned",
	  S(DECIDING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_VOTED_NO, TWOPC_ABANDONED,
	    END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(DECIDING),
		  [TWOPC_VOTED_NO] = STAY(DECIDING),
		  [TWOPC_LINK_LOST] = STAY(DECIDING),
		  [TWOPC_CONFIRMED] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ROLLED_BACK] = { S(DECIDING), TWOPC_CONTRADICTION },
		  [TWOPC_ABANDONED] = STAY(DECIDING),
		  [TWOPC_DECIDED] = { S(HANDED_OVER),
				      TWOPC_MARK_ORPHANED | TWOPC_NUDGE |
					      TWOPC_ANSWER_ACCEPTED |
					      TWOPC_END },
		  [TWOPC_DECISION_REFUSED] = { S(ABORTED),
					       TWOPC_MARK_GONE | TWOPC_NUDGE |
						       TWOPC_ANSWER_ABORTED |
						       TWOPC_END },
	  } },
	{ "committing",
	  S(COMMITTING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_DECIDED, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(COMMITTING),
		  [TWOPC_VOTED_NO] = { S(RESOLVING),
				       TWOPC_MARK_ORPHANED | TWOPC_NUDGE },
		  [TWOPC_LINK_LOST] = { S(RESOLVING),
					TWOPC_MARK_ORPHANED | TWOPC_NUDGE },
		  [TWOPC_CONFIRMED] = { S(COMMITTED),
					TWOPC_MARK_SETTLED |
						TWOPC_ANSWER_COMMITTED |
						TWOPC_END },
		  [TWOPC_ROLLED_BACK] = { S(RESOLVING),
					  TWOPC_MARK_ORPHANED | TWOPC_NUDGE |
						  TWOPC_CONTRADICTION },
		  [TWOPC_ABANDONED] = { S(COMMITTING), TWOPC_ANSWER_ACCEPTED },
		  [TWOPC_DECIDED] = BUG,
		  [TWOPC_DECISION_REFUSED] = BUG,
	  } },
	{ "committing, abandoned",
	  S(COMMITTING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_DECIDED, TWOPC_ABANDONED, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(COMMITTING),
		  [TWOPC_VOTED_NO] = { S(HANDED_OVER), TWOPC_MARK_ORPHANED |
							       TWOPC_NUDGE |
							       TWOPC_END },
		  [TWOPC_LINK_LOST] = { S(HANDED_OVER), TWOPC_MARK_ORPHANED |
								TWOPC_NUDGE |
								TWOPC_END },
		  [TWOPC_CONFIRMED] = { S(COMMITTED),
					TWOPC_MARK_SETTLED | TWOPC_END },
		  [TWOPC_ROLLED_BACK] = { S(HANDED_OVER),
					  TWOPC_MARK_ORPHANED | TWOPC_NUDGE |
						  TWOPC_CONTRADICTION |
						  TWOPC_END },
		  [TWOPC_ABANDONED] = STAY(COMMITTING),
		  [TWOPC_DECIDED] = BUG,
		  [TWOPC_DECISION_REFUSED] = BUG,
	  } },
	{ "resolving",
	  S(RESOLVING),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_DECIDED, TWOPC_LINK_LOST, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(RESOLVING),
		  [TWOPC_VOTED_NO] = STAY(RESOLVING),
		  [TWOPC_LINK_LOST] = STAY(RESOLVING),
		  [TWOPC_CONFIRMED] = { S(COMMITTED),
					TWOPC_MARK_SETTLED |
						TWOPC_ANSWER_COMMITTED |
						TWOPC_END },
		  [TWOPC_ROLLED_BACK] = STAY(RESOLVING),
		  [TWOPC_ABANDONED] = { S(HANDED_OVER),
					TWOPC_ANSWER_ACCEPTED | TWOPC_END },
		  [TWOPC_DECIDED] = BUG,
		  [TWOPC_DECISION_REFUSED] = BUG,
	  } },
	{ "aborting",
	  S(ABORTING),
	  { TWOPC_BEGIN, TWOPC_ABANDONED, END },
	  {
		  [TWOPC_BEGIN] = BUG,
		  [TWOPC_VOTED_YES] = STAY(ABORTING),
		  [TWOPC_VOTED_NO] = { S(ABORTED), TWOPC_END },
		  [TWOPC_LINK_LOST] = { S(ABORTED), TWOPC_NUDGE | TWOPC_END },
		  [TWOPC_CONFIRMED] = { S(ABORTED),
					TWOPC_CONTRADICTION | TWOPC_END },
		  [TWOPC_ROLLED_BACK] = { S(ABORTED), TWOPC_END },
		  [TWOPC_ABANDONED] = STAY(ABORTING),
		  [TWOPC_DECIDED] = BUG,
		  [TWOPC_DECISION_REFUSED] = BUG,
	  } },
#define OVER(s)                                                                \
	{                                                                      \
		[TWOPC_BEGIN] = BUG, [TWOPC_VOTED_YES] = STAY(s),              \
		[TWOPC_VOTED_NO] = STAY(s), [TWOPC_LINK_LOST] = STAY(s),       \
		[TWOPC_CONFIRMED] = STAY(s), [TWOPC_ROLLED_BACK] = STAY(s),    \
		[TWOPC_ABANDONED] = STAY(s), [TWOPC_DECIDED] = BUG,            \
		[TWOPC_DECISION_REFUSED] = BUG,                                \
	}
	{ "committed",
	  S(COMMITTED),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_DECIDED, TWOPC_CONFIRMED, END },
	  OVER(COMMITTED) },
	{ "handed over",
	  S(HANDED_OVER),
	  { TWOPC_BEGIN, TWOPC_VOTED_YES, TWOPC_DECIDED, TWOPC_LINK_LOST,
	    TWOPC_ABANDONED, END },
	  OVER(HANDED_OVER) },
	{ "aborted",
	  S(ABORTED),
	  { TWOPC_BEGIN, TWOPC_VOTED_NO, END },
	  OVER(ABORTED) },
};
enum { TABLE_NR = sizeof(table) / sizeof(table[0]) };

static void go(struct twopc_coordinator *c, const struct row *row)
{
	twopc_coordinator_init(c);
	for (int i = 0; row->path[i] != END; i++) {
		(void)twopc_coordinator_step(
			c, (enum twopc_coordinator_event)row->path[i]);
	}
	ck_assert_int_eq(c->state, row->state);
}

struct
try {
	struct twopc_coordinator c;
	enum twopc_coordinator_event event;
};

static void step_it(void *arg)
{
	struct try *try = arg;

	(void)twopc_coordinator_step(&try->c, try->event);
}

START_TEST(every_event_in_every_state)
{
	const struct row *row = &table[_i];

	for (int event = 0; event < EVENTS_NR; event++) {
		const struct outcome *want = &row->on[event];
		struct try try = {
			.event = (enum twopc_coordinator_event)event
		};
		unsigned todo;

		go(&try.c, row);
		if (want->to == TWOPC_COORDINATOR_STATE_NR) {
			ck_assert_msg(aborts(step_it, &try), "%s: %s",
				      row->name,
				      twopc_coordinator_event_name(try.event));
			continue;
		}
		todo = twopc_coordinator_step(&try.c, try.event);
		ck_assert_msg(try.c.state == want->to && todo == want->todo,
			      "%s, %s: %s, to do %#x instead of %#x", row->name,
			      twopc_coordinator_event_name(try.event),
			      twopc_coordinator_state_name(try.c.state), todo,
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
	ck_assert_uint_eq(seen, (1U << TWOPC_COORDINATOR_STATE_NR) - 1);
}
END_TEST

/* What it was told of a lost link while deciding is not forgotten. */
START_TEST(a_peer_that_rolls_back_what_is_decided_is_handed_over)
{
	struct twopc_coordinator c;

	go(&c, &table[2]);
	(void)twopc_coordinator_step(&c, TWOPC_ROLLED_BACK);
	ck_assert_uint_eq(twopc_coordinator_step(&c, TWOPC_DECIDED),
			  TWOPC_MARK_ORPHANED | TWOPC_NUDGE);
}
END_TEST

/* ---- every course of events --------------------------------------------- */

/* What has happened so far, seen from outside. */
struct course {
	struct twopc_coordinator c;
	unsigned done; /* all that was to be done */
	bool decided, confirmed;
	int depth;
};

static bool may_come(const struct course *course,
		     enum twopc_coordinator_event event)
{
	bool asked = (course->done & TWOPC_DECIDE) != 0 &&
		     course->c.state == TWOPC_COORDINATOR_DECIDING;

	switch (event) {
	case TWOPC_BEGIN:
		return course->c.state == TWOPC_COORDINATOR_OPEN;
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
		return asked;
	case TWOPC_VOTED_YES:
	case TWOPC_VOTED_NO:
	case TWOPC_LINK_LOST:
	case TWOPC_CONFIRMED:
	case TWOPC_ROLLED_BACK:
	case TWOPC_ABANDONED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return true;
	}
}

/* Of these, each is to be done once at most. */
#define ONCE                                                                   \
	(TWOPC_UNDO | TWOPC_SEND_PREPARE | TWOPC_SEND_COMMIT |                 \
	 TWOPC_SEND_ROLLBACK | TWOPC_DECIDE | TWOPC_END | TWOPC_MARKS)

static int bits(unsigned set)
{
	return __builtin_popcount(set);
}

/* NULL, or what does not hold. (A ck_assert() each would take minutes.) */
static const char *problem(const struct course *before, unsigned todo,
			   const struct course *after)
{
	if (before->done & todo & ONCE) {
		return "something is done twice";
	}
	if (bits(after->done & TWOPC_ANSWERS) > 1 ||
	    bits(todo & TWOPC_MARKS) > 1) {
		return "two answers or marks";
	}
	if ((before->done & TWOPC_END) && todo != 0) {
		return "something after the end";
	}
	if (twopc_coordinator_is_over(&after->c) !=
	    ((after->done & TWOPC_END) != 0)) {
		return "over without an end, or an end without being over";
	}
	if ((todo & (TWOPC_SEND_COMMIT | TWOPC_ANSWER_ACCEPTED |
		     TWOPC_MARK_DECIDED | TWOPC_MARK_ORPHANED)) &&
	    !after->decided) {
		return "undecided, and treated as decided";
	}
	if ((todo & (TWOPC_ANSWER_COMMITTED | TWOPC_MARK_SETTLED)) &&
	    !(after->decided && after->confirmed)) {
		return "unconfirmed, and treated as confirmed";
	}
	if ((todo & (TWOPC_ANSWER_ABORTED | TWOPC_MARK_GONE |
		     TWOPC_SEND_ROLLBACK | TWOPC_UNDO)) &&
	    after->decided) {
		return "decided, and treated as aborted";
	}
	if ((todo & TWOPC_UNDO) && (before->done & TWOPC_DECIDE)) {
		return "undone while it is being decided";
	}
	if ((todo & TWOPC_END) &&
	    (bits(after->done & TWOPC_ANSWERS) != 1 ||
	     !(after->done &
	       (TWOPC_MARK_GONE | TWOPC_MARK_SETTLED | TWOPC_MARK_ORPHANED)))) {
		return "an end without an answer or without a last mark";
	}
	return NULL;
}

static unsigned long courses;

static void walk(const struct course *before)
{
	if (before->depth == 7) {
		courses++;
		return;
	}
	for (int i = 0; i < EVENTS_NR; i++) {
		enum twopc_coordinator_event event =
			(enum twopc_coordinator_event)i;
		struct course after = *before;
		const char *wrong;
		unsigned todo;

		if (!may_come(before, event)) {
			continue;
		}
		todo = twopc_coordinator_step(&after.c, event);
		after.done |= todo;
		after.decided |= event == TWOPC_DECIDED;
		after.confirmed |= event == TWOPC_CONFIRMED;
		after.depth++;
		wrong = problem(before, todo, &after);
		if (wrong != NULL) {
			ck_abort_msg(
				"%s, %s: %s",
				twopc_coordinator_state_name(before->c.state),
				twopc_coordinator_event_name(event), wrong);
		}
		walk(&after);
	}
}

START_TEST(what_holds_of_every_course_of_seven_events)
{
	struct course start = { .depth = 0 };

	walk(&start);
	ck_assert_uint_gt(courses, 100000);
}
END_TEST

START_TEST(everything_has_a_name)
{
	for (int i = 0; i < TWOPC_COORDINATOR_STATE_NR; i++) {
		ck_assert_str_ne(twopc_coordinator_state_name(
					 (enum twopc_coordinator_state)i),
				 "?");
	}
	for (int i = 0; i < EVENTS_NR; i++) {
		ck_assert_str_ne(twopc_coordinator_event_name(
					 (enum twopc_coordinator_event)i),
				 "?");
	}
	ck_assert_str_eq(
		twopc_coordinator_state_name(TWOPC_COORDINATOR_STATE_NR), "?");
	ck_assert_str_eq(
		twopc_coordinator_event_name(TWOPC_COORDINATOR_EVENT_NR), "?");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("coordinator");

	tcase_add_loop_test(tc, every_event_in_every_state, 0, TABLE_NR);
	tcase_add_test(tc, every_state_is_in_the_table);
	tcase_add_test(tc,
		       a_peer_that_rolls_back_what_is_decided_is_handed_over);
	tcase_add_test(tc, what_holds_of_every_course_of_seven_events);
	tcase_add_test(tc, everything_has_a_name);
	return suite_run("twopc coordinator", tc);
}
