#include "history.h"

#include <stdio.h>
#include <string.h>

/* ---- what there is ------------------------------------------------------ */

static unsigned bucket_of(const char *id)
{
	unsigned hash = 5381;

	/* Of an id, the random part and the counter tell the most. */
	for (const char *at = id + 20; *at != '\0'; at++) {
		hash = hash * 33 + (unsigned char)*at;
	}
	return hash % TXN_BUCKETS;
}

struct identity *history_identity(struct history *history)
{
	struct identity *identity =
		world_alloc(history->world, sizeof(*identity));
	uint64_t random[2] = { random_next(&history->world->random),
			       random_next(&history->world->random) };

	identity->number = ++history->identities_n;
	twopc_uuid_format((const uint8_t *)random, identity->name);
	return identity;
}

struct txn *history_find(struct history *history, const char *id)
{
	struct txn *txn = history->buckets[bucket_of(id)];

	while (txn != NULL && strcmp(txn->id, id) != 0) {
		txn = txn->chain;
	}
	return txn;
}

struct txn *history_txn(struct history *history, const char *id,
			struct identity *identity)
{
	struct txn *txn = world_alloc(history->world, sizeof(*txn));
	struct txn **bucket = &history->buckets[bucket_of(id)];

	if (history_find(history, id) != NULL) {
		world_violation(history->world, "%s is given out twice", id);
	}
	memcpy(txn->id, id, TWOPC_ID_SIZE);
	txn->number = ++history->txns_n;
	txn->identity = identity;
	txn->next = history->txns;
	history->txns = txn;
	txn->chain = *bucket;
	*bucket = txn;
	return txn;
}

/* ---- coming and going --------------------------------------------------- */

/* Soon, and at the latest when all is to be well. */
static int64_t restart_ns(struct world *world)
{
	int64_t after_ns = random_in(&world->random, 0, 200 * MS_NS);
	int64_t left_ns = world->heal_ns - world->now_ns;

	return after_ns < left_ns ? after_ns : left_ns;
}

static void on_reached(void *arg)
{
	echo_on_reached(arg);
}

void history_on_worker(struct history *history)
{
	struct world *world = history->world;

	for (struct echo *echo = history->echos; echo != NULL;
	     echo = echo->next) {
		/* Not always: it must do without. */
		if (!echo->process.dead && random_percent(&world->random, 70)) {
			world_after(world,
				    random_in(&world->random, 0, 100 * MS_NS),
				    &echo->process, on_reached, echo);
		}
	}
}

static void start_worker(struct history *history)
{
	world_trace(history->world, "worker", "starts", NULL, "");
	history->worker = worker_new(history, "worker");
	history->net.worker = history->worker;
	history_on_worker(history);
}

static void on_worker_restart(void *arg)
{
	struct history *history = arg;

	if (history->worker == NULL) {
		start_worker(history);
	}
}

void history_on_worker_death(struct history *history, struct worker *worker)
{
	if (history->older == worker) {
		history->older = NULL;
	}
	if (history->worker == worker) {
		history->worker = NULL;
		history->net.worker = NULL;
		world_after(history->world, restart_ns(history->world), NULL,
			    on_worker_restart, history);
	}
}

static void on_echo_restart(void *arg)
{
	struct site *site = arg;

	if (site->echo == NULL) {
		echo_start(site);
	}
}

void history_on_echo_death(struct history *history, struct echo *echo)
{
	struct site *site = echo->site;

	if (site->older == echo) {
		site->older = NULL;
	}
	if (site->echo == echo) {
		site->echo = NULL;
		world_after(history->world, restart_ns(history->world), NULL,
			    on_echo_restart, site);
	}
}

/* ---- what goes wrong ---------------------------------------------------- */

enum mishap_kind {
	KILL_ECHO,
	KILL_WORKER,
	KILL_BOTH,
	KILL_ECHO_AT_A_STEP,
	KILL_WORKER_AT_A_STEP,
	STOP_ECHO,
	STOP_WORKER,
	CUT_OFF,
	TAKE_OVER_ECHO,
	TAKE_OVER_WORKER,
	WIPE,
	MISHAPS_NR
};

struct mishap {
	struct history *history;
	struct site *site;
	enum mishap_kind kind;
	int64_t for_ns;
	int64_t steps;
};

static void kill_echo(struct site *site)
{
	if (site->echo != NULL) {
		process_kill(&site->echo->process);
	}
}

static void kill_worker(struct history *history)
{
	if (history->worker != NULL) {
		process_kill(&history->worker->process);
	}
}

static void stop(struct world *world, struct process *process, int64_t for_ns)
{
	world_trace(world, process->name, "is stopped", NULL, "");
	world->tally->stalls++;
	process->stalled_until_ns = world->now_ns + for_ns;
}

/* A second process on the same database, while the first still runs. */
static void take_over_echo(struct site *site)
{
	if (site->echo == NULL || site->older != NULL) {
		return;
	}
	site->history->world->tally->takeovers++;
	site->older = site->echo;
	site->older->process.name = "older echo";
	echo_start(site);
}

static void take_over_worker(struct history *history)
{
	if (history->worker == NULL || history->older != NULL) {
		return;
	}
	history->world->tally->takeovers++;
	history->older = history->worker;
	history->older->process.name = "older worker";
	start_worker(history);
}

/* The coordinator's database is deleted: whoever comes next is another. */
static void wipe(struct site *site)
{
	kill_echo(site);
	if (site->older != NULL) {
		process_kill(&site->older->process);
	}
	if (site->identity != NULL) {
		world_trace(site->history->world, site->name, "is wiped", NULL,
			    "");
		site->history->world->tally->wipes++;
		site->identity->deleted = true;
	}
	site->identity = NULL;
	site->stem[0] = '\0';
}

static void on_mishap(void *arg)
{
	struct mishap *mishap = arg;
	struct history *history = mishap->history;
	struct site *site = mishap->site;

	switch (mishap->kind) {
	case KILL_ECHO:
		kill_echo(site);
		break;
	case KILL_WORKER:
		kill_worker(history);
		break;
	case KILL_BOTH:
		kill_echo(site);
		kill_worker(history);
		break;
	case KILL_ECHO_AT_A_STEP:
		if (site->echo != NULL) {
			site->echo->process.steps_left = mishap->steps;
		}
		break;
	case KILL_WORKER_AT_A_STEP:
		if (history->worker != NULL) {
			history->worker->process.steps_left = mishap->steps;
		}
		break;
	case STOP_ECHO:
		if (site->echo != NULL) {
			stop(history->world, &site->echo->process,
			     mishap->for_ns);
		}
		break;
	case STOP_WORKER:
		if (history->worker != NULL) {
			stop(history->world, &history->worker->process,
			     mishap->for_ns);
		}
		break;
	case CUT_OFF:
		if (site->echo != NULL) {
			net_cut_off(site->echo,
				    history->world->now_ns + mishap->for_ns);
		}
		break;
	case TAKE_OVER_ECHO:
		take_over_echo(site);
		break;
	case TAKE_OVER_WORKER:
		take_over_worker(history);
		break;
	case WIPE:
		wipe(site);
		break;
	case MISHAPS_NR:
	default:
		break;
	}
}

/* Wiping is rare: it ends a coordinator, and with it what can be checked. */
static enum mishap_kind draw_kind(struct random *random)
{
	enum mishap_kind kind =
		(enum mishap_kind)random_in(random, 0, MISHAPS_NR - 1);

	if (kind == WIPE && !random_percent(random, 40)) {
		return KILL_ECHO_AT_A_STEP;
	}
	return kind;
}

static void plan_mishaps(struct history *history)
{
	struct world *world = history->world;
	struct random *random = &world->random;
	int64_t n = random_percent(random, 15) ? 0 : random_in(random, 1, 6);

	for (int64_t i = 0; i < n; i++) {
		struct mishap *mishap = world_alloc(world, sizeof(*mishap));
		int64_t at_ns = random_in(random, 0, world->heal_ns - MS_NS);
		int64_t left_ns = world->heal_ns - at_ns;

		mishap->history = history;
		mishap->site = &history->sites[random_in(random, 0,
							 history->sites_n - 1)];
		mishap->kind = draw_kind(random);
		mishap->steps = random_in(random, 1, 120);
		mishap->for_ns = random_in(random, MS_NS, 600 * MS_NS);
		if (mishap->for_ns > left_ns) {
			mishap->for_ns = left_ns;
		}
		world_after(world, at_ns, NULL, on_mishap, mishap);
	}
}

static int draw_permille(struct random *random, int percent, int max)
{
	return random_percent(random, percent) ? (int)random_in(random, 1, max)
					       : 0;
}

/* Each kind of trouble is there in some histories, more or less of it. */
static void plan_troubles(struct history *history)
{
	struct random *random = &history->world->random;
	struct net *net = &history->net;

	net->delay_max_ns = random_in(random, MS_NS, 20 * MS_NS);
	net->notice_max_ns = random_in(random, 5 * MS_NS, 500 * MS_NS);
	net->break_permille = draw_permille(random, 60, 100);
	net->duplicate_permille = draw_permille(random, 50, 200);
	net->replay_permille = draw_permille(random, 50, 200);
	net->lose_permille = draw_permille(random, 50, 300);
	history->worker_disk.fail_permille = draw_permille(random, 25, 60);
	history->worker_disk.slow_permille = draw_permille(random, 40, 100);
	for (int i = 0; i < history->sites_n; i++) {
		struct disk *disk = &history->sites[i].disk;

		disk->fail_permille = draw_permille(random, 25, 60);
		disk->slow_permille = draw_permille(random, 40, 100);
	}
}

/* ---- clients ------------------------------------------------------------ */

struct arrival {
	struct request request; /* first */
	struct site *site;
};

static void on_arrival(void *arg)
{
	struct arrival *arrival = arg;

	echo_request(arrival->site, &arrival->request);
}

static void plan_leaving(struct random *random, struct request *request)
{
	static const enum twopc_coordinator_event moments[] = {
		TWOPC_BEGIN,   TWOPC_VOTED_YES, TWOPC_VOTED_YES,
		TWOPC_DECIDED, TWOPC_CONFIRMED,
	};

	if (random_percent(random, 40)) {
		request->leaving = LEAVES_NEVER;
	} else if (random_percent(random, 40)) {
		request->leaving = LEAVES_BY_THE_CLOCK;
		request->leaves_ns =
			random_in(random, 0, request->work_ns + 20 * MS_NS);
	} else {
		request->leaving = LEAVES_AT_AN_EVENT;
		request->at = moments[random_in(random, 0, 4)];
		request->leaves_ns = random_percent(random, 30)
					     ? 0
					     : random_in(random, 0, 3 * MS_NS);
	}
}

static void plan_requests(struct history *history)
{
	struct world *world = history->world;
	struct random *random = &world->random;
	int64_t n = random_in(random, 4, 100);
	int64_t work_max_ns =
		random_percent(random, 50) ? 5 * MS_NS : 150 * MS_NS;

	for (int64_t i = 0; i < n; i++) {
		struct arrival *arrival = world_alloc(world, sizeof(*arrival));
		struct request *request = &arrival->request;

		arrival->site = &history->sites[random_in(
			random, 0, history->sites_n - 1)];
		request->begins_ns = random_in(random, 0, world->heal_ns);
		request->work_ns = random_in(random, 0, work_max_ns);
		request->deadline_ns =
			request->work_ns +
			random_in(random, 5 * MS_NS, 300 * MS_NS);
		plan_leaving(random, request);
		world_after(world, request->begins_ns, NULL, on_arrival,
			    arrival);
	}
}

/* ---- when all is well --------------------------------------------------- */

static bool is_live(const struct txn *txn)
{
	return !txn->ended && !txn->echo->dead;
}

/* Whether somebody would still have to do something for it. */
static bool is_in_doubt(const struct txn *txn)
{
	if (txn->identity->deleted) {
		return false;
	}
	return txn->state == TWOPC_ROW_PREPARED ||
	       (txn->row ? txn->works == 0 : txn->works != 0);
}

static bool anything_in_doubt(const struct history *history)
{
	for (const struct txn *txn = history->txns; txn != NULL;
	     txn = txn->next) {
		if (is_in_doubt(txn) && !is_live(txn)) {
			return true;
		}
	}
	return false;
}

static void on_heal(void *arg)
{
	struct history *history = arg;

	world_trace(history->world, "all", "is well", NULL, "");
	if (history->older != NULL) {
		process_kill(&history->older->process);
	}
	if (history->worker != NULL) {
		history->worker->process.steps_left = -1;
	}
	for (int i = 0; i < history->sites_n; i++) {
		struct site *site = &history->sites[i];

		if (site->older != NULL) {
			process_kill(&site->older->process);
		}
		if (site->echo != NULL) {
			site->echo->process.steps_left = -1;
		}
	}
}

/* Run until nothing may be in doubt any more, and note when it was not. */
static void settle(struct history *history)
{
	struct world *world = history->world;
	int64_t last_ns = 0;

	for (int64_t after_ns = 0; after_ns < 1000 * MS_NS && !world->violated;
	     after_ns += 10 * MS_NS) {
		if (anything_in_doubt(history)) {
			last_ns = after_ns;
		}
		world_run(world, world->heal_ns + after_ns + 10 * MS_NS);
	}
	if (last_ns > world->tally->slowest_ns) {
		world->tally->slowest_ns = last_ns;
	}
	for (const struct txn *txn = history->txns; txn != NULL;
	     txn = txn->next) {
		if (is_live(txn)) {
			world_violation(world, "%s is not over after 1 s",
					txn->id);
		} else if (is_in_doubt(txn)) {
			world_violation(world, "%s is in doubt after 1 s",
					txn->id);
		}
	}
}

/* ---- what must hold ----------------------------------------------------- */

static void check_answers(struct history *history, const struct txn *txn)
{
	struct world *world = history->world;
	bool here = txn->identity->deleted ? txn->works > 0 : txn->row;

	if (txn->answer == ANSWER_COMMITTED && (!here || txn->works != 1)) {
		world_violation(world, "%s was answered 200, and is not there",
				txn->id);
	}
	if (txn->answer == ANSWER_ACCEPTED && !txn->identity->deleted &&
	    (!here || txn->works != 1)) {
		world_violation(world, "%s was answered 202, and is not there",
				txn->id);
	}
	if (txn->answer == ANSWER_ABORTED && (here || txn->works != 0)) {
		world_violation(world, "%s was answered aborted, and is there",
				txn->id);
	}
	if (txn->left_undecided && (here || txn->works != 0)) {
		world_violation(world,
				"%s was left before its decision, and is there",
				txn->id);
	}
}

static void check_txn(struct history *history, const struct txn *txn)
{
	struct world *world = history->world;

	check_answers(history, txn);
	if (txn->identity->deleted) {
		return;
	}
	if (txn->row != (txn->works == 1)) {
		world_violation(world, "%s is in one database alone", txn->id);
	}
	if (txn->decision) {
		world_violation(world, "the decision of %s is not forgotten",
				txn->id);
	}
	if (txn->state != TWOPC_ROW_NONE) {
		world_violation(world, "%s is still %s at the worker", txn->id,
				twopc_row_name(txn->state));
	}
}

static void check_echo(struct history *history, const struct echo *echo)
{
	struct twopc_registry_stats stats;

	if (echo->process.dead) {
		return;
	}
	if (!echo->started) {
		world_violation(history->world, "%s has not started",
				echo->process.name);
		return;
	}
	twopc_registry_stats(echo->registry, &stats);
	for (int i = 0; i < TWOPC_STANDING_NR; i++) {
		if (stats.by_standing[i] != 0) {
			world_violation(
				history->world,
				"%s: %zu in the registry are %s",
				echo->process.name, stats.by_standing[i],
				twopc_standing_name((enum twopc_standing)i));
		}
	}
}

static void check(struct history *history)
{
	for (const struct txn *txn = history->txns; txn != NULL;
	     txn = txn->next) {
		check_txn(history, txn);
	}
	for (const struct echo *echo = history->echos; echo != NULL;
	     echo = echo->next) {
		check_echo(history, echo);
	}
}

/* ---- counting and ending ------------------------------------------------ */

static void count(struct history *history)
{
	struct tally *tally = history->world->tally;

	tally->histories++;
	for (const struct txn *txn = history->txns; txn != NULL;
	     txn = txn->next) {
		tally->committed += txn->answer == ANSWER_COMMITTED;
		tally->accepted += txn->answer == ANSWER_ACCEPTED;
		tally->aborted += txn->answer == ANSWER_ABORTED;
		tally->unanswered += txn->answer == ANSWER_NONE;
		tally->left_prepared += txn->identity->deleted &&
					txn->state == TWOPC_ROW_PREPARED;
	}
	for (struct echo *echo = history->echos; echo != NULL;
	     echo = echo->next) {
		tally->resolved_committed += echo->resolver.stats.committed;
		tally->resolved_rolled_back += echo->resolver.stats.rolled_back;
		twopc_registry_free(echo->registry);
	}
}

static struct history *history_new(struct world *world)
{
	static const char *const names[SITES_MAX] = { "echo a", "echo b",
						      "echo c" };
	struct history *history = world_alloc(world, sizeof(*history));
	struct random *random = &world->random;

	history->world = world;
	history->net.world = world;
	history->page_max = (int)random_in(random, 1, CALL_PAGE_MAX);
	history->sites_n = (int)random_in(random, 1, SITES_MAX);
	disk_init(&history->worker_disk, world);
	for (int i = 0; i < SITES_MAX; i++) {
		history->sites[i].history = history;
		history->sites[i].name = names[i];
		disk_init(&history->sites[i].disk, world);
	}
	return history;
}

void history_run(struct world *world, uint64_t seed)
{
	struct history *history;

	world_reset(world, seed);
	history = history_new(world);
	world->heal_ns = random_in(&world->random, 200 * MS_NS, 1500 * MS_NS);
	plan_troubles(history);
	plan_mishaps(history);
	plan_requests(history);
	world_after(world, world->heal_ns, NULL, on_heal, history);
	start_worker(history);
	for (int i = 0; i < history->sites_n; i++) {
		echo_start(&history->sites[i]);
	}
	world_run(world, world->heal_ns);
	settle(history);
	world_run(world, world->heal_ns + 1600 * MS_NS);
	check(history);
	count(history);
}
