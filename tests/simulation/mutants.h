/*
 * Bugs that are planted on request, each in the simulated adapters, so that the
 * files under test stay as they are: a simulator that does not find them proves
 * nothing by finding nothing.
 */
#ifndef RESCIND_SIMULATION_MUTANTS_H
#define RESCIND_SIMULATION_MUTANTS_H

/* X(symbol, name, what is done wrong) */
#define MUTANTS(X)                                                             \
	X(NONE, "none", "nothing")                                             \
	X(UNSYNCED_PREPARE, "unsynced-prepare",                                \
	  "prepared is said before the row is synced")                         \
	X(UNSYNCED_DECISION, "unsynced-decision",                              \
	  "commit is sent before the decision is synced")                      \
	X(UNSYNCED_COMMIT, "unsynced-commit",                                  \
	  "committed is said before the commit is synced")                     \
	X(COMMIT_UNKNOWN, "commit-unknown",                                    \
	  "a commit of an unknown id is answered with committed")              \
	X(EARLY_ANSWER, "early-answer",                                        \
	  "the client is told before the decision is on disk")                 \
	X(EARLY_FORGET, "early-forget",                                        \
	  "a decision is dropped before the participant has confirmed")        \
	X(EARLY_SEAL, "early-seal",                                            \
	  "all ids up to the newest are said to be over")                      \
	X(UNSYNCED_FORGET, "unsynced-forget",                                  \
	  "a decision leaves the registry before its deletion is synced")      \
	X(LIVE_IS_ABSENT, "live-is-absent",                                    \
	  "the resolver rolls back what may still be decided")                 \
	X(LATER_IS_ABSENT, "later-is-absent",                                  \
	  "the resolver rolls back what its successor has given out")          \
	X(NO_FENCE, "no-fence",                                                \
	  "a process decides after another has taken over its database")       \
	X(NO_BOUND, "no-bound",                                                \
	  "the participant takes prepares of what is over")                    \
	X(BY_ITSELF, "by-itself",                                              \
	  "the participant rolls back what is prepared when the link is lost") \
	X(ANYBODYS, "anybodys", "a coordinator is offered what is another's")  \
	X(DEAF, "deaf", "the resolver never lists")

enum mutant {
#define MUTANT_ENUM(symbol, name, what) MUTANT_##symbol,
	MUTANTS(MUTANT_ENUM)
#undef MUTANT_ENUM
		MUTANT_NR
};

#endif
