#include "twopc/coordinator.h"

#include <string.h>

#include "twopc/bug.h"

/* ---- states ------------------------------------------------------------- */

#define TO(symbol) (1U << TWOPC_COORDINATOR_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[TWOPC_COORDINATOR_STATE_NR] = {
#define TWOPC_COORDINATOR_INFO(symbol, text, allowed)                          \
	[TWOPC_COORDINATOR_##symbol] = { .name = (text), .moves = (allowed) },
	TWOPC_COORDINATOR_STATES(TWOPC_COORDINATOR_INFO)
#undef TWOPC_COORDINATOR_INFO
};
#undef TO

const char *twopc_coordinator_state_name(enum twopc_coordinator_state state)
{
	return (unsigned)state < TWOPC_COORDINATOR_STATE_NR ? states[state].name
							    : "?";
}

bool twopc_coordinator_may_move(enum twopc_coordinator_state from,
				enum twopc_coordinator_state to)
{
	return (states[from].moves & 1U << to) != 0;
}

const char *twopc_coordinator_event_name(enum twopc_coordinator_event event)
{
	static const char *const names[TWOPC_COORDINATOR_EVENT_NR] = {
#define TWOPC_COORDINATOR_EVENT_TEXT(symbol, name) [TWOPC_##symbol] = (name),
		TWOPC_COORDINATOR_EVENTS(TWOPC_COORDINATOR_EVENT_TEXT)
#undef TWOPC_COORDINATOR_EVENT_TEXT
	};

	return (unsigned)event < TWOPC_COORDINATOR_EVENT_NR ? names[event]
							    : "?";
}

/* The one door through which a coordinator changes its state. */
static void move(struct twopc_coordinator *c, enum twopc_coordinator_state to)
{
	if (!twopc_coordinator_may_move(c->state, to)) {
		twopc_bug("a coordinator moves from %s to %s",
			  twopc_coordinator_state_name(c->state),
			  twopc_coordinator_state_name(to));
	}
	c->state = to;
}

static unsigned bug(const struct twopc_coordinator *c,
		    enum twopc_coordinator_event event)
{
	twopc_bug("'%s' for a coordinator that is %s",
		  twopc_coordinator_event_name(event),
		  twopc_coordinator_state_name(c->state));
}

/* ---- ways --------------------------------------------------------------- */

/* @answer, unless there was one. */
static unsigned answer(struct twopc_coordinator *c, unsigned how)
{
	if (c->answered) {
		return 0;
	}
	c->answered = true;
	return how;
}

static unsigned prepare(struct twopc_coordinator *c)
{
	move(c, TWOPC_COORDINATOR_PREPARING);
	return TWOPC_SEND_PREPARE;
}

/* Before it was asked to decide; the participant has nothing. */
static unsigned abort_now(struct twopc_coordinator *c)
{
	move(c, TWOPC_COORDINATOR_ABORTED);
	return TWOPC_UNDO | TWOPC_MARK_GONE | answer(c, TWOPC_ANSWER_ABORTED) |
	       TWOPC_END;
}

/* Before it was asked to decide; tell the participant. */
static unsigned abandon(struct twopc_coordinator *c)
{
	move(c, TWOPC_COORDINATOR_ABORTING);
	return TWOPC_UNDO | TWOPC_MARK_GONE | TWOPC_SEND_ROLLBACK |
	       answer(c, TWOPC_ANSWER_ABORTED);
}

static unsigned decide(struct twopc_coordinator *c)
{
	move(c, TWOPC_COORDINATOR_DECIDING);
	return TWOPC_DECIDE;
}

/* The decision is not in the database, and never will be. */
static unsigned refuse(struct twopc_coordinator *c)
{
	unsigned todo = TWOPC_MARK_GONE | answer(c, TWOPC_ANSWER_ABORTED);

	if (c->link_lost) {
		move(c, TWOPC_COORDINATOR_ABORTED);
		return todo | TWOPC_NUDGE | TWOPC_END;
	}
	move(c, TWOPC_COORDINATOR_ABORTING);
	return todo | TWOPC_SEND_ROLLBACK;
}

/* Decided, and only the resolver can tell the participant. */
static unsigned hand_over(struct twopc_coordinator *c)
{
	unsigned todo = TWOPC_MARK_ORPHANED | TWOPC_NUDGE;

	if (!c->abandoned) {
		move(c, TWOPC_COORDINATOR_RESOLVING);
		return todo;
	}
	move(c, TWOPC_COORDINATOR_HANDED_OVER);
	return todo | answer(c, TWOPC_ANSWER_ACCEPTED) | TWOPC_END;
}

static unsigned commit(struct twopc_coordinator *c)
{
	unsigned todo = TWOPC_MARK_DECIDED | TWOPC_SEND_COMMIT;

	if (c->link_lost) {
		return hand_over(c);
	}
	move(c, TWOPC_COORDINATOR_COMMITTING);
	return c->abandoned ? todo | answer(c, TWOPC_ANSWER_ACCEPTED) : todo;
}

static unsigned confirm(struct twopc_coordinator *c)
{
	move(c, TWOPC_COORDINATOR_COMMITTED);
	return TWOPC_MARK_SETTLED | answer(c, TWOPC_ANSWER_COMMITTED) |
	       TWOPC_END;
}

static unsigned end_aborting(struct twopc_coordinator *c)
{
	move(c, TWOPC_COORDINATOR_ABORTED);
	return TWOPC_END;
}

/* ---- states, each with every event -------------------------------------- */

static unsigned step_open(struct twopc_coordinator *c,
			  enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_BEGIN:
		return prepare(c);
	case TWOPC_ABANDONED:
	case TWOPC_LINK_LOST:
		return abort_now(c);
	case TWOPC_VOTED_YES:
	case TWOPC_VOTED_NO:
	case TWOPC_CONFIRMED:
	case TWOPC_ROLLED_BACK:
		return 0;
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

static unsigned step_preparing(struct twopc_coordinator *c,
			       enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_VOTED_YES:
		return decide(c);
	case TWOPC_VOTED_NO:
	case TWOPC_ROLLED_BACK:
		return abort_now(c);
	case TWOPC_LINK_LOST:
		return abort_now(c) | TWOPC_NUDGE;
	case TWOPC_CONFIRMED:
		return abort_now(c) | TWOPC_NUDGE | TWOPC_CONTRADICTION;
	case TWOPC_ABANDONED:
		return abandon(c);
	case TWOPC_BEGIN:
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

/* Whatever comes meanwhile, the disk has the word. */
static unsigned step_deciding(struct twopc_coordinator *c,
			      enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_DECIDED:
		return commit(c);
	case TWOPC_DECISION_REFUSED:
		return refuse(c);
	case TWOPC_ABANDONED:
		c->abandoned = true;
		return 0;
	case TWOPC_LINK_LOST:
	case TWOPC_VOTED_NO: /* the stream is over; the vote was on disk */
		c->link_lost = true;
		return 0;
	case TWOPC_ROLLED_BACK:
		c->link_lost = true;
		return TWOPC_CONTRADICTION;
	case TWOPC_CONFIRMED:
		return TWOPC_CONTRADICTION;
	case TWOPC_VOTED_YES:
		return 0;
	case TWOPC_BEGIN:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

static unsigned step_committing(struct twopc_coordinator *c,
				enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_CONFIRMED:
		return confirm(c);
	case TWOPC_LINK_LOST:
	case TWOPC_VOTED_NO: /* a refusal, of which the resolver hears more */
		return hand_over(c);
	case TWOPC_ROLLED_BACK:
		return hand_over(c) | TWOPC_CONTRADICTION;
	case TWOPC_ABANDONED:
		c->abandoned = true;
		return answer(c, TWOPC_ANSWER_ACCEPTED);
	case TWOPC_VOTED_YES:
		return 0;
	case TWOPC_BEGIN:
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

static unsigned step_resolving(struct twopc_coordinator *c,
			       enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_CONFIRMED:
		return confirm(c);
	case TWOPC_ABANDONED:
		c->abandoned = true;
		move(c, TWOPC_COORDINATOR_HANDED_OVER);
		return answer(c, TWOPC_ANSWER_ACCEPTED) | TWOPC_END;
	case TWOPC_LINK_LOST:
	case TWOPC_VOTED_YES:
	case TWOPC_VOTED_NO:
	case TWOPC_ROLLED_BACK:
		return 0;
	case TWOPC_BEGIN:
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

static unsigned step_aborting(struct twopc_coordinator *c,
			      enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_ROLLED_BACK:
	case TWOPC_VOTED_NO: /* it crossed our rollback */
		return end_aborting(c);
	case TWOPC_LINK_LOST:
		return TWOPC_NUDGE | end_aborting(c);
	case TWOPC_CONFIRMED:
		return TWOPC_CONTRADICTION | end_aborting(c);
	case TWOPC_VOTED_YES: /* it crossed our rollback, which comes after */
	case TWOPC_ABANDONED:
		return 0;
	case TWOPC_BEGIN:
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

static unsigned step_over(struct twopc_coordinator *c,
			  enum twopc_coordinator_event event)
{
	switch (event) {
	case TWOPC_VOTED_YES:
	case TWOPC_VOTED_NO:
	case TWOPC_LINK_LOST:
	case TWOPC_CONFIRMED:
	case TWOPC_ROLLED_BACK:
	case TWOPC_ABANDONED:
		return 0;
	case TWOPC_BEGIN:
	case TWOPC_DECIDED:
	case TWOPC_DECISION_REFUSED:
	case TWOPC_COORDINATOR_EVENT_NR:
	default:
		return bug(c, event);
	}
}

/* ---- from outside ------------------------------------------------------- */

void twopc_coordinator_init(struct twopc_coordinator *coordinator)
{
	memset(coordinator, 0, sizeof(*coordinator));
}

unsigned twopc_coordinator_step(struct twopc_coordinator *coordinator,
				enum twopc_coordinator_event event)
{
	switch (coordinator->state) {
	case TWOPC_COORDINATOR_OPEN:
		return step_open(coordinator, event);
	case TWOPC_COORDINATOR_PREPARING:
		return step_preparing(coordinator, event);
	case TWOPC_COORDINATOR_DECIDING:
		return step_deciding(coordinator, event);
	case TWOPC_COORDINATOR_COMMITTING:
		return step_committing(coordinator, event);
	case TWOPC_COORDINATOR_RESOLVING:
		return step_resolving(coordinator, event);
	case TWOPC_COORDINATOR_ABORTING:
		return step_aborting(coordinator, event);
	case TWOPC_COORDINATOR_COMMITTED:
	case TWOPC_COORDINATOR_HANDED_OVER:
	case TWOPC_COORDINATOR_ABORTED:
		return step_over(coordinator, event);
	case TWOPC_COORDINATOR_STATE_NR:
	default:
		return bug(coordinator, event);
	}
}

bool twopc_coordinator_is_over(const struct twopc_coordinator *coordinator)
{
	return states[coordinator->state].moves == 0;
}
