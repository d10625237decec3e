/*
 * Histories of the two-phase exchange in a simulated world:
 *
 *	twopc_simulation [-seed N] [-histories N] [-first N] [-mutant NAME]
 *	                 [-trace]
 *
 * The same seed gives the same histories, event by event. Exit code 0: all of
 * them held; 1: one did not, and how to see it again is printed (or, of many
 * histories, none has made a move that the tables allow). With -mutant a
 * bug is planted, and it is the other way round.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "history.h"
#include "world.h"

/* In so many, each move of the tables has to be seen. */
enum { ENOUGH_HISTORIES = 20000 };

struct options {
	uint64_t seed;
	uint64_t first;
	uint64_t histories;
	enum mutant mutant;
	bool trace;
};

static const struct {
	const char *name, *what;
} mutants[MUTANT_NR] = {
#define MUTANT_INFO(symbol, text, wrong)                                       \
	[MUTANT_##symbol] = { .name = (text), .what = (wrong) },
	MUTANTS(MUTANT_INFO)
#undef MUTANT_INFO
};

/* ---- options ------------------------------------------------------------ */

static _Noreturn void usage(const char *wrong)
{
	fprintf(stderr,
		"twopc_simulation: %s\n"
		"usage: twopc_simulation [-seed N] [-histories N] [-first N]"
		" [-mutant NAME] [-trace]\n"
		"mutants:\n",
		wrong);
	for (int i = 0; i < MUTANT_NR; i++) {
		fprintf(stderr, "  %-18s %s\n", mutants[i].name,
			mutants[i].what);
	}
	exit(2);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = text != NULL ? strtoull(text, &end, 0) : 0;
	if (text == NULL || *text == '\0' || *end != '\0' || errno != 0) {
		usage("not a number");
	}
	return value;
}

static enum mutant mutant_named(const char *name)
{
	for (int i = 0; i < MUTANT_NR; i++) {
		if (name != NULL && strcmp(name, mutants[i].name) == 0) {
			return (enum mutant)i;
		}
	}
	usage("there is no such mutant");
}

static struct options read_options(int argc, char **argv)
{
	struct options options = { .seed = 1, .histories = 1000 };

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-seed") == 0) {
			options.seed = number(argv[++i]);
		} else if (strcmp(argv[i], "-histories") == 0) {
			options.histories = number(argv[++i]);
		} else if (strcmp(argv[i], "-first") == 0) {
			options.first = number(argv[++i]);
		} else if (strcmp(argv[i], "-mutant") == 0) {
			options.mutant = mutant_named(argv[++i]);
		} else if (strcmp(argv[i], "-trace") == 0) {
			options.trace = true;
		} else {
			usage("unknown option");
		}
	}
	return options;
}

/* ---- running ------------------------------------------------------------ */

/* Of history number @at; neighbours have nothing in common. */
static uint64_t seed_of(uint64_t seed, uint64_t at)
{
	struct random random = { .state = seed };

	random.state = random_next(&random) + at;
	return random_next(&random);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#define COUNT(field) (unsigned long long)tally->field

static void print_tally(const struct tally *tally, double took)
{
	printf("histories %llu, events %llu, requests %llu (committed %llu, "
	       "accepted %llu, aborted %llu, without an answer %llu), left "
	       "before the decision %llu\n",
	       COUNT(histories), COUNT(events), COUNT(requests),
	       COUNT(committed), COUNT(accepted), COUNT(aborted),
	       COUNT(unanswered), COUNT(left));
	printf("crashes %llu, stops %llu, takeovers %llu, databases deleted "
	       "%llu, links broken %llu, cut off %llu, duplicates %llu, "
	       "replays %llu, full disks %llu\n",
	       COUNT(crashes), COUNT(stalls), COUNT(takeovers), COUNT(wipes),
	       COUNT(breaks), COUNT(partitions), COUNT(duplicates),
	       COUNT(replays), COUNT(disk_failures));
	printf("resolved: committed %llu, rolled back %llu; left prepared for "
	       "coordinators that are no more %llu; the last doubt within "
	       "%lld ms\n",
	       COUNT(resolved_committed), COUNT(resolved_rolled_back),
	       COUNT(left_prepared),
	       (long long)(tally->slowest_ns / MS_NS) + 10);
	printf("%.1f s, %.0f histories/s\n", took,
	       (double)tally->histories / took);
}

/* ---- moves -------------------------------------------------------------- */

struct moves {
	int allowed, seen;
};

/*
 * Only a person who forces an outcome can make it: a coordinator does not roll
 * back what it has committed.
 */
static bool is_only_by_hand(const char *from, const char *to)
{
	return strcmp(from, "undoing") == 0 && strcmp(to, "committed") == 0;
}

static void count_move(struct moves *moves, bool allowed, bool seen,
		       const char *from, const char *to)
{
	allowed = allowed && !is_only_by_hand(from, to);
	moves->allowed += allowed;
	moves->seen += allowed && seen;
	if (allowed && !seen) {
		printf("never seen: from %s to %s\n", from, to);
	}
}

/* For each of the three machines that have a table of moves. */
#define COUNT_MOVES(machine, NR)                                               \
	static struct moves machine##_moves(const struct tally *tally)         \
	{                                                                      \
		struct moves moves = { 0 };                                    \
                                                                               \
		for (int i = 0; i < (NR) * (NR); i++) {                        \
			enum twopc_##machine##_state from = i / (NR);          \
			enum twopc_##machine##_state to = i % (NR);            \
                                                                               \
			count_move(&moves,                                     \
				   twopc_##machine##_may_move(from, to),       \
				   (tally->machine[from] >> to & 1) != 0,      \
				   twopc_##machine##_state_name(from),         \
				   twopc_##machine##_state_name(to));          \
		}                                                              \
		return moves;                                                  \
	}
COUNT_MOVES(coordinator, TWOPC_COORDINATOR_STATE_NR)
COUNT_MOVES(participant, TWOPC_PARTICIPANT_STATE_NR)
COUNT_MOVES(resolver, TWOPC_RESOLVER_STATE_NR)

/* Whether all were seen. */
static bool print_moves(const struct tally *tally)
{
	struct moves c = coordinator_moves(tally);
	struct moves p = participant_moves(tally);
	struct moves r = resolver_moves(tally);

	printf("moves seen: coordinator %d of %d, participant %d of %d, "
	       "resolver %d of %d\n",
	       c.seen, c.allowed, p.seen, p.allowed, r.seen, r.allowed);
	return c.seen == c.allowed && p.seen == p.allowed &&
	       r.seen == r.allowed;
}

static void print_violation(const struct options *options, uint64_t at,
			    const struct world *world)
{
	printf("VIOLATION in history %llu: %s\n", (unsigned long long)at,
	       world->violation);
	printf("see it with: -seed %llu -first %llu -histories 1%s%s -trace\n",
	       (unsigned long long)options->seed, (unsigned long long)at,
	       options->mutant != MUTANT_NONE ? " -mutant " : "",
	       options->mutant != MUTANT_NONE ? mutants[options->mutant].name
					      : "");
}

int main(int argc, char **argv)
{
	struct options options = read_options(argc, argv);
	double began = seconds();
	uint64_t hash = 0;
	struct tally tally = { 0 };
	struct world world;
	uint64_t at = options.first;
	bool all_moves;

	world_init(&world, &tally);
	world.mutant = options.mutant;
	world.tracing = options.trace;
	printf("seed %llu\n", (unsigned long long)options.seed);
	for (; at < options.first + options.histories; at++) {
		history_run(&world, seed_of(options.seed, at));
		hash = (hash ^ world.trace_hash) * UINT64_C(0x100000001b3);
		if (world.violated) {
			print_violation(&options, at, &world);
			break;
		}
	}
	print_tally(&tally, seconds() - began);
	all_moves = print_moves(&tally);
	printf("trace %016llx\nviolations: %llu\n", (unsigned long long)hash,
	       (unsigned long long)tally.violations);
	if (options.mutant != MUTANT_NONE) {
		printf("mutant %s (%s): %s\n", mutants[options.mutant].name,
		       mutants[options.mutant].what,
		       tally.violations > 0 ? "found" : "NOT FOUND");
	}
	world_release(&world);
	if (options.mutant != MUTANT_NONE) {
		return tally.violations > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	return tally.violations == 0 &&
			       (all_moves || tally.histories < ENOUGH_HISTORIES)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
