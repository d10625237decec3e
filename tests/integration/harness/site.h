/*
 * A pair that is crashed: both programs in the build for that, requests from
 * several clients at once, what they were told, and what has to hold afterwards
 * whatever happened.
 *
 *	struct site site;
 *
 *	site_init(&site, &(struct site_options){ .forgets = true });
 *	site_start(&site);
 *	faults_order(&site.worker.faults, "worker.stored", "kill@3");
 *	site_requests(&site, 40, &site.worker);
 *	faults_await_death(&site.worker.faults, site.worker.process,
 *			   "worker.stored");
 *	site_start_program(&site, &site.worker);
 *	site_expect_recovery(&site);
 *	site_end(&site);
 *
 * Confined to one thread, but for the clients' own.
 */
#ifndef RESCIND_TEST_SITE_H
#define RESCIND_TEST_SITE_H

#include <pthread.h>
#include <stdatomic.h>

#include "harness/faults.h"
#include "harness/pair.h"

enum {
	SITE_CLIENTS = 8,
	SITE_ID_SIZE = 32,
	/* A few hundred of these fill the log, so that it is moved. */
	SITE_MESSAGE_SIZE = 14 * 1024,
};

/* Ids, to which any thread may add. */
struct site_ids {
	pthread_mutex_t lock;
	size_t n;
	size_t capacity;
	char (*ids)[SITE_ID_SIZE];
};

struct site_program {
	const char *name;
	struct faults faults;
	struct process *process;
	char *db; /* its path: PATH_SIZE bytes, may be changed between lives */
};

struct site {
	struct pair_options options;
	struct pair pair;
	struct site_program echo;
	struct site_program worker;
	struct site_ids acked; /* answered 200 or 202 */
	bool one_phase;
	atomic_uint requests; /* sent */
	/* The clients at work. */
	pthread_t clients[SITE_CLIENTS];
	size_t each;
	struct site_program *while_lives;
};

struct site_options {
	bool forgets;	     /* what is not synced is lost at a death */
	bool one_phase;	     /* echo and worker share no outcome */
	const char *timeout; /* of requests; 20s */
	const char *const *echo_flags; /* more; end in NULL */
	const char *const *worker_flags;
};

/*
 * A seed for srand(), given by RESCIND_SEED or new; to be printed with what the
 * test says in the end.
 */
unsigned site_seed(void);

/* rand() chooses what forgetful disks forget. @site must not move. */
void site_init(struct site *site, const struct site_options *options);
/* Both, ready. */
void site_start(struct site *site);
/* Both end in order, and site_expect_kept() holds; the folder goes. */
void site_end(struct site *site);
/* The last of it: when both have ended. */
void site_release(struct site *site);

/* Begin a life of one, with orders (NULL: none), and do not wait for it. */
void site_launch(struct site *site, struct site_program *program,
		 const char *orders);
/* Begin one without orders, and wait until both are ready. */
void site_start_program(struct site *site, struct site_program *program);

/* ---- requests -------------------------------------------------------------
 */

/*
 * Each client sends @each requests, one after another, but no more when
 * @while_lives (NULL: whatever happens) is dead. Every fourth has a millisecond
 * only, and is rolled back.
 */
void site_clients_start(struct site *site, size_t each,
			struct site_program *while_lives);
void site_clients_wait(struct site *site);
/* Start and wait. */
void site_requests(struct site *site, size_t each,
		   struct site_program *while_lives);
/* kill -9 while all clients have requests under way. */
void site_kill_amid_requests(struct site *site, struct site_program *program);

/* ---- what has to hold -----------------------------------------------------
 */

/*
 * Both files hold the same, what was answered 200 or 202 among it, and are
 * whole; in one phase worker's may hold more. When both are at rest, and
 * nothing is in doubt.
 */
void site_expect_kept(struct site *site);
/* Both are ready; a new request goes well; what is in doubt is resolved; and
 * that. */
void site_expect_recovery(struct site *site);
void site_expect_whole(const char *db);

#endif
