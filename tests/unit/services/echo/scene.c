#include "scene.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct scene scene;

/* ---- the keeper's peer --------------------------------------------------- */

static void list(struct twopc_peer *peer, struct ctx *ctx,
		 const char *coordinator, const char *after, size_t ids_max,
		 struct twopc_peer_call *call)
{
	struct fake_peer *fake = (struct fake_peer *)peer;

	(void)ctx;
	(void)after;
	(void)ids_max;
	ck_assert_str_eq(coordinator, SCENE_COORDINATOR);
	fake->call = call;
	atomic_fetch_add(&fake->lists, 1);
}

/* Not in these scenes. */
static void resolve(struct twopc_peer *peer, struct ctx *ctx,
		    const char *coordinator, const struct twopc_item *items,
		    size_t items_n, const char *over_below,
		    struct twopc_peer_call *call)
{
	(void)peer, (void)ctx, (void)coordinator, (void)items, (void)items_n;
	(void)over_below, (void)call;
	ck_abort_msg("nothing is to be resolved");
}

static const struct twopc_peer_ops peer_ops = { .list = list,
						.resolve = resolve };

/* ---- life -----------------------------------------------------------------
 */

void scene_set_up(enum echo_commit commit)
{
	struct twopc_keeper_options options = {
		.base = ECHO_STORE_TWOPC,
		.participant = "worker:1",
		.entries_max = 1000,
		.take = exchange_take,
		.confirmed = exchange_confirmed,
	};

	memset(&scene, 0, sizeof(scene));
	world_init(&scene.world, "echo");
	fake_worker_init(&scene.worker);
	scene.peer.peer.ops = &peer_ops;
	options.root = scene.world.root;
	options.db = &scene.world.db.db;
	options.peer = &scene.peer.peer;
	options.metrics = scene.world.work_metrics;
	twopc_keeper_init(&scene.keeper, &options);
	twopc_keeper_assume(&scene.keeper, SCENE_COORDINATOR, SCENE_STEM);
	echo_init(&scene.echo);
	scene.echo.root = ctx_new(scene.world.root, CLOCK_NEVER);
	scene.echo.db = &scene.world.db.db;
	scene.echo.worker = &scene.worker.port;
	scene.echo.metrics = scene.world.work_metrics;
	scene.echo.commit = commit;
	scene.echo.keeper = &scene.keeper;
	scene.client = ctx_new(scene.world.root, CLOCK_NEVER);
}

static void end_worker(void)
{
	if (atomic_load(&scene.worker.call) != NULL) {
		fake_worker_reply(&scene.worker, STATUS_CANCELLED, "cancelled");
	}
	if (atomic_load(&scene.worker.link) != NULL) {
		fake_worker_end(&scene.worker, STATUS_CANCELLED, "cancelled");
	}
}

static void end_keeper(void)
{
	struct status stopped = status_make(STATUS_UNAVAILABLE, "stopped");

	twopc_keeper_stop(&scene.keeper);
	if (scene.peer.call != NULL) {
		scene.peer.call->listed(scene.peer.call, &stopped, NULL, 0,
					false);
	}
	world_settle(&scene.world);
	twopc_keeper_release(&scene.keeper);
}

void scene_tear_down(void)
{
	end_worker();
	world_settle(&scene.world);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
	ck_assert(!roster_has(&scene.echo.requests, "r1"));
	end_keeper();
	fake_worker_release(&scene.worker);
	echo_release(&scene.echo);
	ctx_unref(scene.client);
	ctx_unref(scene.echo.root);
	world_release(&scene.world);
}

/* ---- what happens ----------------------------------------------------------
 */

void scene_client(int64_t timeout_ns)
{
	ctx_unref(scene.client);
	scene.client = ctx_new(scene.world.root, clock_now_ns() + timeout_ns);
}

void scene_be_sure(void)
{
	atomic_store(&scene.echo.written_ns, CLOCK_NEVER);
	atomic_store(&scene.echo.locked_ns, CLOCK_NEVER);
}

void scene_answer(const struct exchange_outcome *outcome, void *arg)
{
	scene.how = outcome->how;
	snprintf(scene.request_id, sizeof(scene.request_id), "%s",
		 outcome->request_id);
	outcome_answer(outcome->status, arg);
}

void scene_begin(void)
{
	const struct exchange_ask ask = { .request_id = "r1",
					  .message = "hello" };

	exchange_start(&scene.echo, scene.client, &ask, scene_answer,
		       &scene.world.outcome);
}

void scene_start(void)
{
	scene_be_sure();
	scene_begin();
}

void scene_start_in_doubt(void)
{
	echo_note_write(&scene.echo, false);
	scene_begin();
}

/* ---- what is seen -----------------------------------------------------------
 */

void scene_expect(enum status_code code, const char *message)
{
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 1);
	ck_assert_int_eq(scene.world.outcome.status.code, code);
	ck_assert_str_eq(scene.world.outcome.status.message, message);
	ck_assert_int_eq(scene.how == HOW_FAILED, code != STATUS_OK);
	ck_assert_str_eq(scene.request_id, "r1");
}

bool scene_counted(const char *outcome, const char *cause)
{
	char series[160];

	snprintf(series, sizeof(series),
		 "rescind_transactions_total{cause=\"%s\",outcome=\"%s\","
		 "service=\"echo\"}",
		 cause, outcome);
	return world_counted(&scene.world, series, 1);
}

void scene_expect_rolled_back(const char *cause)
{
	char text[64];

	snprintf(text, sizeof(text), "cause=%s", cause);
	ck_assert(world_logged(&scene.world, "TRANSACTION ROLLED BACK for "
					     "request_id=r1"));
	ck_assert(world_logged(&scene.world, text));
	ck_assert_msg(scene_counted("rolled_back", cause), "%s", cause);
	ck_assert(!world_logged(&scene.world, "COMMITTED"));
}

enum twopc_standing scene_standing(void)
{
	return twopc_keeper_look(&scene.keeper, SCENE_ID);
}
