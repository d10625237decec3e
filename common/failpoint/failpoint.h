/*
 * Named points of a program at which a test has it die, stop or wait.
 *
 *	FAILPOINT("worker.stored");
 *
 * In an ordinary build that is nothing: no code, no data, no name. A program
 * that links rescind_failpoint (rescind_library(... FAILPOINTS) and
 * rescind_program() make such a one of the same sources, for tests) counts each
 * pass, and does what it was told to. Names are unique in a program, and begin
 * with that of the part: "db.commit.before". No points in functions of headers,
 * which would be there more than once.
 *
 * By the environment, at its start:
 *
 *	RESCIND_FAILPOINTS=worker.stored=kill@3,db.begin.after=stall:50ms
 *		what to do where, as failpoint/order.h has it. A word that it
 *		does not understand, or a point that is not there, ends the
 *		program at once with code 2 and a line that says so.
 *	RESCIND_FAILPOINTS=list
 *		print the name of each point on a line of its own, and exit.
 *	RESCIND_FAILPOINTS_CONTROL=<path>
 *		make this file, through which another process sees the passes
 *		and gives orders while the program runs: failpoint/table.h.
 *
 * An order is for one pass, the next or the nth from when it was given, and
 * then over, unless it is for all later passes too.
 *
 *	kill	the process dies by SIGKILL at that very pass: nothing behind
 *		it is executed by the thread that got there
 *	stop	the whole process stops by SIGSTOP, and goes on by SIGCONT
 *	stall	the thread alone is held up, the others run
 *	fail	for points that answer something: that it went wrong
 *
 * Cost of a pass without an order: a call, an atomic addition and a load.
 */
#ifndef RESCIND_FAILPOINT_H
#define RESCIND_FAILPOINT_H

#ifdef RESCIND_FAILPOINTS

#include "failpoint/table.h"

struct failpoint {
	const char *name;
	struct failpoint_cell *cell; /* its own, or in the control file */
	struct failpoint_cell own;
};

/*
 * Define the point @symbol. The linker gathers all of them, of which it makes
 * one array of pointers.
 */
#define FAILPOINT_DEFINE(symbol, text, may_fail)                               \
	_Static_assert(sizeof(text) <= FAILPOINT_NAME_SIZE,                    \
		       "the name of a failpoint is too long");                 \
	static struct failpoint symbol = {                                     \
		.name = (text),                                                \
		.cell = &symbol.own,                                           \
		.own = { .name = text, .answers = (may_fail) },                \
	};                                                                     \
	static struct failpoint *symbol##_listed                               \
		__attribute__((section("failpoints"), used)) = &symbol

#define FAILPOINT(text)                                                        \
	do {                                                                   \
		FAILPOINT_DEFINE(failpoint_here_, text, false);                \
		(void)failpoint_pass(&failpoint_here_, 0);                     \
	} while (0)

/*
 * For a point that can fail, one defined with may_fail: 0 to go on, or what to
 * answer instead, which is @fallback where the order does not say.
 *
 *	FAILPOINT_DEFINE(at_sync, "vfs.sync", true);
 *
 *	int rc = failpoint_pass(&at_sync, SQLITE_IOERR_FSYNC);
 */
int failpoint_pass(struct failpoint *point, int fallback);

/* The point of this name in this program; NULL: there is none. */
struct failpoint_cell *failpoint_cell(const char *name);

/*
 * Give the orders of a text as RESCIND_FAILPOINTS has it. INVALID_ARGUMENT says
 * what is wrong with it; those before that were given.
 */
MUSTCHECK enum status_code failpoint_arm(const char *orders,
					 struct status *reterr);

#else

#define FAILPOINT(text) ((void)0)

#endif

#endif
