#include "twopc/participant.h"

#include <string.h>

#include "twopc/bug.h"

/* ---- states ------------------------------------------------------------- */

#define TO(symbol) (1U << TWOPC_PARTICIPANT_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[TWOPC_PARTICIPANT_STATE_NR] = {
#define TWOPC_PARTICIPANT_INFO(symbol, text, allowed)                          \
	[TWOPC_PARTICIPANT_##symbol] = { .name = (text), .moves = (allowed) },
	TWOPC_PARTICIPANT_STATES(TWOPC_PARTICIPANT_INFO)
#undef TWOPC_PARTICIPANT_INFO
};
#undef TO

const char *twopc_participant_state_name(enum twopc_participant_state state)
{
	return (unsigned)state < TWOPC_PARTICIPANT_STATE_NR ? states[state].name
							    : "?";
}

bool twopc_participant_may_move(enum twopc_participant_state from,
				enum twopc_participant_state to)
{
	return (states[from].moves & 1U << to) != 0;
}

const char *twopc_participant_event_name(enum twopc_participant_event event)
{
	static const char *const names[TWOPC_PARTICIPANT_EVENT_NR] = {
#define TWOPC_PARTICIPANT_EVENT_TEXT(symbol, name) [TWOPC_AT_##symbol] = (name),
		TWOPC_PARTICIPANT_EVENTS(TWOPC_PARTICIPANT_EVENT_TEXT)
#undef TWOPC_PARTICIPANT_EVENT_TEXT
	};

	return (unsigned)event < TWOPC_PARTICIPANT_EVENT_NR ? names[event]
							    : "?";
}

enum twopc_participant_event
twopc_participant_stored(enum twopc_verdict verdict)
{
	switch (verdict) {
	case TWOPC_VERDICT_FAILED:
		return TWOPC_AT_STORE_FAILED;
	case TWOPC_VERDICT_UNKNOWN:
		return TWOPC_AT_STORED_UNKNOWN;
	case TWOPC_VERDICT_PREPARED:
		return TWOPC_AT_STORED_PREPARED;
	case TWOPC_VERDICT_COMMITTED:
		return TWOPC_AT_STORED_COMMITTED;
	case TWOPC_VERDICT_ROLLED_BACK:
		return TWOPC_AT_STORED_ROLLED_BACK;
	case TWOPC_VERDICT_NR:
	default:
		twopc_bug("there is no verdict %d", (int)verdict);
	}
}

/* The one door through which a participant changes its state. */
static void move(struct twopc_participant *p, enum twopc_participant_state to)
{
	if (!twopc_participant_may_move(p->state, to)) {
		twopc_bug("a participant moves from %s to %s",
			  twopc_participant_state_name(p->state),
			  twopc_participant_state_name(to));
	}
	p->state = to;
}

static unsigned bug(const struct twopc_participant *p,
		    enum twopc_participant_event event)
{
	twopc_bug("'%s' for a participant that is %s",
		  twopc_participant_event_name(event),
		  twopc_participant_state_name(p->state));
}

/* ---- ways --------------------------------------------------------------- */

/* Over; @last is what is said of it, if somebody still hears. */
static unsigned end(struct twopc_participant *p,
		    enum twopc_participant_state to, unsigned last)
{
	move(p, to);
	return p->link_lost ? TWOPC_FINISH : last | TWOPC_FINISH;
}

static unsigned start_commit(struct twopc_participant *p)
{
	move(p, TWOPC_PARTICIPANT_COMMITTING);
	return TWOPC_STORE_COMMIT;
}

static unsigned start_rollback(struct twopc_participant *p)
{
	move(p, TWOPC_PARTICIPANT_UNDOING);
	return TWOPC_STORE_ROLLBACK;
}

static unsigned start_prepare(struct twopc_participant *p)
{
	move(p, TWOPC_PARTICIPANT_PREPARING);
	return TWOPC_STORE_PREPARE;
}

static unsigned lose_link(struct twopc_participant *p,
			  enum twopc_participant_state to)
{
	p->link_lost = true;
	return end(p, to, 0);
}

/* The row is on disk. */
static unsigned be_prepared(struct twopc_participant *p)
{
	if (p->rollback_due) {
		return start_rollback(p);
	}
	if (p->commit_due) {
		return start_commit(p);
	}
	if (p->link_lost) {
		return end(p, TWOPC_PARTICIPANT_IN_DOUBT, 0);
	}
	move(p, TWOPC_PARTICIPANT_PREPARED);
	return TWOPC_SEND_PREPARED;
}

/* There is no row, and of us there will be none. */
static unsigned fail_prepare(struct twopc_participant *p)
{
	return end(p, TWOPC_PARTICIPANT_ROLLED_BACK,
		   p->rollback_due ? TWOPC_SEND_ROLLED_BACK : TWOPC_REFUSE);
}

/* ---- states, each with every event -------------------------------------- */

static unsigned step_open(struct twopc_participant *p,
			  enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_PREPARE:
		move(p, TWOPC_PARTICIPANT_WORKING);
		return TWOPC_WORK;
	case TWOPC_AT_COMMIT:
		return start_commit(p);
	case TWOPC_AT_ROLLBACK:
		return start_rollback(p);
	case TWOPC_AT_LINK_LOST:
		return lose_link(p, TWOPC_PARTICIPANT_ROLLED_BACK);
	case TWOPC_AT_WORK_FAILED:
		return end(p, TWOPC_PARTICIPANT_ROLLED_BACK, TWOPC_REFUSE);
	case TWOPC_AT_WORK_DONE:
	case TWOPC_AT_STORED_PREPARED:
	case TWOPC_AT_STORED_COMMITTED:
	case TWOPC_AT_STORED_ROLLED_BACK:
	case TWOPC_AT_STORED_UNKNOWN:
	case TWOPC_AT_STORE_FAILED:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

static unsigned step_working(struct twopc_participant *p,
			     enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_WORK_DONE:
		return start_prepare(p);
	case TWOPC_AT_WORK_FAILED:
		return end(p, TWOPC_PARTICIPANT_ROLLED_BACK, TWOPC_REFUSE);
	case TWOPC_AT_COMMIT: /* of what another stream may have prepared */
		return TWOPC_STOP_WORK | start_commit(p);
	case TWOPC_AT_ROLLBACK:
		return TWOPC_STOP_WORK | end(p, TWOPC_PARTICIPANT_ROLLED_BACK,
					     TWOPC_SEND_ROLLED_BACK);
	case TWOPC_AT_LINK_LOST:
		return TWOPC_STOP_WORK |
		       lose_link(p, TWOPC_PARTICIPANT_ROLLED_BACK);
	case TWOPC_AT_PREPARE:
		return 0;
	case TWOPC_AT_STORED_PREPARED:
	case TWOPC_AT_STORED_COMMITTED:
	case TWOPC_AT_STORED_ROLLED_BACK:
	case TWOPC_AT_STORED_UNKNOWN:
	case TWOPC_AT_STORE_FAILED:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

/* Whatever comes meanwhile, the disk has the word. */
static unsigned step_preparing(struct twopc_participant *p,
			       enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_STORED_PREPARED:
		return be_prepared(p);
	case TWOPC_AT_STORED_COMMITTED:
		return end(p, TWOPC_PARTICIPANT_COMMITTED,
			   TWOPC_SEND_COMMITTED);
	case TWOPC_AT_STORED_ROLLED_BACK:
		return end(p, TWOPC_PARTICIPANT_ROLLED_BACK,
			   TWOPC_SEND_ROLLED_BACK);
	case TWOPC_AT_STORED_UNKNOWN:
	case TWOPC_AT_STORE_FAILED:
		return fail_prepare(p);
	case TWOPC_AT_COMMIT:
		p->commit_due = !p->rollback_due;
		return 0;
	case TWOPC_AT_ROLLBACK:
		p->rollback_due = !p->commit_due;
		return p->rollback_due ? TWOPC_HURRY : 0;
	case TWOPC_AT_LINK_LOST:
		p->link_lost = true;
		return TWOPC_HURRY;
	case TWOPC_AT_PREPARE:
	case TWOPC_AT_WORK_FAILED:
		return 0;
	case TWOPC_AT_WORK_DONE:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

static unsigned step_prepared(struct twopc_participant *p,
			      enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_PREPARE:
		return TWOPC_SEND_PREPARED;
	case TWOPC_AT_COMMIT:
		return start_commit(p);
	case TWOPC_AT_ROLLBACK:
		return start_rollback(p);
	case TWOPC_AT_LINK_LOST:
		return lose_link(p, TWOPC_PARTICIPANT_IN_DOUBT);
	case TWOPC_AT_WORK_FAILED:
		return 0;
	case TWOPC_AT_WORK_DONE:
	case TWOPC_AT_STORED_PREPARED:
	case TWOPC_AT_STORED_COMMITTED:
	case TWOPC_AT_STORED_ROLLED_BACK:
	case TWOPC_AT_STORED_UNKNOWN:
	case TWOPC_AT_STORE_FAILED:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

static unsigned step_committing(struct twopc_participant *p,
				enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_STORED_COMMITTED:
		return end(p, TWOPC_PARTICIPANT_COMMITTED,
			   TWOPC_SEND_COMMITTED);
	case TWOPC_AT_STORED_ROLLED_BACK:
	case TWOPC_AT_STORED_UNKNOWN:
		return end(p, TWOPC_PARTICIPANT_REFUSED, TWOPC_REFUSE);
	case TWOPC_AT_STORE_FAILED:
		return end(p, TWOPC_PARTICIPANT_IN_DOUBT, TWOPC_REFUSE);
	case TWOPC_AT_LINK_LOST:
		p->link_lost = true;
		return 0;
	case TWOPC_AT_PREPARE:
	case TWOPC_AT_COMMIT:
	case TWOPC_AT_ROLLBACK:
	case TWOPC_AT_WORK_FAILED:
		return 0;
	case TWOPC_AT_WORK_DONE:
	case TWOPC_AT_STORED_PREPARED:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

static unsigned step_undoing(struct twopc_participant *p,
			     enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_STORED_ROLLED_BACK:
	case TWOPC_AT_STORED_UNKNOWN:
		return end(p, TWOPC_PARTICIPANT_ROLLED_BACK,
			   TWOPC_SEND_ROLLED_BACK);
	case TWOPC_AT_STORED_COMMITTED:
		return end(p, TWOPC_PARTICIPANT_COMMITTED,
			   TWOPC_SEND_COMMITTED);
	case TWOPC_AT_STORE_FAILED:
		return end(p, TWOPC_PARTICIPANT_IN_DOUBT, TWOPC_REFUSE);
	case TWOPC_AT_LINK_LOST:
		p->link_lost = true;
		return 0;
	case TWOPC_AT_PREPARE:
	case TWOPC_AT_COMMIT:
	case TWOPC_AT_ROLLBACK:
	case TWOPC_AT_WORK_FAILED:
		return 0;
	case TWOPC_AT_WORK_DONE:
	case TWOPC_AT_STORED_PREPARED:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

static unsigned step_over(struct twopc_participant *p,
			  enum twopc_participant_event event)
{
	switch (event) {
	case TWOPC_AT_PREPARE:
	case TWOPC_AT_COMMIT:
	case TWOPC_AT_ROLLBACK:
	case TWOPC_AT_LINK_LOST:
	case TWOPC_AT_WORK_FAILED:
		return 0;
	case TWOPC_AT_WORK_DONE:
	case TWOPC_AT_STORED_PREPARED:
	case TWOPC_AT_STORED_COMMITTED:
	case TWOPC_AT_STORED_ROLLED_BACK:
	case TWOPC_AT_STORED_UNKNOWN:
	case TWOPC_AT_STORE_FAILED:
	case TWOPC_PARTICIPANT_EVENT_NR:
	default:
		return bug(p, event);
	}
}

/* ---- from outside ------------------------------------------------------- */

void twopc_participant_init(struct twopc_participant *participant)
{
	memset(participant, 0, sizeof(*participant));
}

unsigned twopc_participant_step(struct twopc_participant *participant,
				enum twopc_participant_event event)
{
	switch (participant->state) {
	case TWOPC_PARTICIPANT_OPEN:
		return step_open(participant, event);
	case TWOPC_PARTICIPANT_WORKING:
		return step_working(participant, event);
	case TWOPC_PARTICIPANT_PREPARING:
		return step_preparing(participant, event);
	case TWOPC_PARTICIPANT_PREPARED:
		return step_prepared(participant, event);
	case TWOPC_PARTICIPANT_COMMITTING:
		return step_committing(participant, event);
	case TWOPC_PARTICIPANT_UNDOING:
		return step_undoing(participant, event);
	case TWOPC_PARTICIPANT_COMMITTED:
	case TWOPC_PARTICIPANT_ROLLED_BACK:
	case TWOPC_PARTICIPANT_REFUSED:
	case TWOPC_PARTICIPANT_IN_DOUBT:
		return step_over(participant, event);
	case TWOPC_PARTICIPANT_STATE_NR:
	default:
		return bug(participant, event);
	}
}

bool twopc_participant_is_over(const struct twopc_participant *participant)
{
	return states[participant->state].moves == 0;
}
