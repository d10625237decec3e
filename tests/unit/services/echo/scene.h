/*
 * An echo between a database, a worker and a client, all of which do what a
 * test says. Its keeper is who it is, and asks for nothing until started.
 */
#ifndef RESCIND_TEST_SCENE_H
#define RESCIND_TEST_SCENE_H

#include "echo/exchange.h"
#include "echo/keyed.h"
#include "fake_worker.h"
#include "world.h"

#define SCENE_COORDINATOR "6e0a8a1c-0000-4000-8000-000000000001"
#define SCENE_STEM	  "01935d0a9c41-5f2ac04e91b3d877"
/* Of the first transaction. */
#define SCENE_ID SCENE_STEM "-000000000001"

/* What the keeper asks for, and waits for. */
struct fake_peer {
	struct twopc_peer peer;
	atomic_int lists;
	struct twopc_peer_call *call; /* the one under way */
};

struct scene {
	struct world world;
	struct fake_worker worker;
	struct fake_peer peer;
	struct twopc_keeper keeper;
	struct echo echo;
	struct ctx *client;

	/* Of the last answer; its status is in world.outcome. */
	enum exchange_how how;
	char request_id[64];
};
extern struct scene scene;

void scene_set_up(enum echo_commit commit);
/* Ends what a cancelled worker has not ended yet; checks that nothing is
 * left. */
void scene_tear_down(void);

/* Another client, with a deadline. */
void scene_client(int64_t timeout_ns);
/* The database has just taken a write, however slow this test is. */
void scene_be_sure(void);
/* Ask for "r1" with "hello", as scene.client. */
void scene_begin(void);
/* The same with a database that is known to be well. */
void scene_start(void);
/* The same with a database of which nothing is known. */
void scene_start_in_doubt(void);
/* An exchange_answer_fn. */
void scene_answer(const struct exchange_outcome *outcome, void *arg);

/* The one answer there was. */
void scene_expect(enum status_code code, const char *message);
/* Whether one transaction ended so. */
bool scene_counted(const char *outcome, const char *cause);
/* Logged and counted. */
void scene_expect_rolled_back(const char *cause);
enum twopc_standing scene_standing(void);

#endif
