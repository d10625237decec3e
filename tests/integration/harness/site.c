#include "harness/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- ids ----------------------------------------------------------------- */

static void ids_init(struct site_ids *ids)
{
	memset(ids, 0, sizeof(*ids));
	pthread_mutex_init(&ids->lock, NULL);
}

static void ids_release(struct site_ids *ids)
{
	free(ids->ids);
	pthread_mutex_destroy(&ids->lock);
}

static void ids_add(const char *id, void *arg)
{
	struct site_ids *ids = arg;

	pthread_mutex_lock(&ids->lock);
	if (ids->n == ids->capacity) {
		ids->capacity = ids->capacity != 0 ? 2 * ids->capacity : 1024;
		ids->ids = realloc(ids->ids, ids->capacity * SITE_ID_SIZE);
		ck_assert_ptr_nonnull(ids->ids);
	}
	snprintf(ids->ids[ids->n++], SITE_ID_SIZE, "%s", id);
	pthread_mutex_unlock(&ids->lock);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void ids_sort(struct site_ids *ids)
{
	if (ids->n > 0) {
		qsort(ids->ids, ids->n, SITE_ID_SIZE, by_text);
	}
}

/* Both sorted; each of @some is in @all. */
static void expect_subset(const struct site_ids *some,
			  const struct site_ids *all, const char *what)
{
	for (size_t i = 0; i < some->n; i++) {
		ck_assert_msg(all->n > 0 &&
				      bsearch(some->ids[i], all->ids, all->n,
					      SITE_ID_SIZE, by_text) != NULL,
			      "%s: %s", some->ids[i], what);
	}
}

static void read_ids(struct site_ids *ids, const char *db, const char *sql)
{
	ids_init(ids);
	rows_each(db, sql, ids_add, ids);
	ids_sort(ids);
}

/* ---- life ---------------------------------------------------------------- */

unsigned site_seed(void)
{
	const char *given = getenv("RESCIND_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10)
				      : (unsigned)time(NULL);

	srand(seed);
	return seed;
}

static void init_program(struct site *site, struct site_program *program,
			 const char *name, bool forgets)
{
	program->name = name;
	faults_init(&program->faults, name, site->pair.dir);
	if (forgets) {
		faults_forget(&program->faults, (uint64_t)rand());
	}
}

void site_init(struct site *site, const struct site_options *options)
{
	static const char *const one_phase[] = { "-commit=one-phase", NULL };

	memset(site, 0, sizeof(*site));
	site->one_phase = options->one_phase;
	site->options = (struct pair_options){
		.work = "2ms",
		.timeout = options->timeout,
		.echo_flags =
			options->one_phase ? one_phase : options->echo_flags,
		.worker_flags = options->worker_flags,
		.log_level = "info",
	};
	pair_prepare(&site->pair, &site->options);
	init_program(site, &site->echo, "echo", options->forgets);
	init_program(site, &site->worker, "worker", options->forgets);
	site->echo.process = &site->pair.echo;
	site->worker.process = &site->pair.worker;
	site->echo.db = site->pair.echo_db;
	site->worker.db = site->pair.worker_db;
	site->options.echo_process = &site->echo.faults.process;
	site->options.worker_process = &site->worker.faults.process;
	ids_init(&site->acked);
}

void site_start(struct site *site)
{
	pair_start_worker(&site->pair);
	pair_start_echo(&site->pair);
	pair_await_ready(&site->pair);
}

void site_release(struct site *site)
{
	ids_release(&site->acked);
	faults_release(&site->echo.faults);
	faults_release(&site->worker.faults);
	scratch_remove(site->pair.dir);
}

void site_end(struct site *site)
{
	process_end(&site->pair.echo);
	process_end(&site->pair.worker);
	site_expect_kept(site);
	site_release(site);
}

void site_launch(struct site *site, struct site_program *program,
		 const char *orders)
{
	faults_order_at_start(&program->faults, orders);
	if (program == &site->echo) {
		pair_launch_echo(&site->pair);
	} else {
		pair_launch_worker(&site->pair);
	}
	faults_order_at_start(&program->faults, NULL);
}

void site_start_program(struct site *site, struct site_program *program)
{
	site_launch(site, program, NULL);
	process_await(program->process, "Ready", NULL);
	pair_await_ready(&site->pair);
}

/* ---- requests ------------------------------------------------------------ */

static void request(struct site *site, unsigned number)
{
	const char *hurry = number % 4 == 1 ? "&timeout=1ms" : "";
	char body[SITE_MESSAGE_SIZE + 128];
	char id[SITE_ID_SIZE];
	struct client client;
	struct reply reply;
	int size;

	snprintf(id, sizeof(id), "r-%u", number);
	size = snprintf(body, sizeof(body), "request_id=%s%s&message=", id,
			hurry);
	memset(body + size, 'm', SITE_MESSAGE_SIZE);
	if (!client_try_open(&client, site->pair.http_port)) {
		return;
	}
	if (client_post(&client, "/echo", "application/x-www-form-urlencoded",
			body, (size_t)size + SITE_MESSAGE_SIZE) &&
	    client_receive(&client, &reply) &&
	    (reply.status == 200 || reply.status == 202)) {
		ids_add(id, &site->acked);
	}
	client_close(&client);
}

static bool goes_on(const struct site *site)
{
	return site->while_lives == NULL ||
	       process_is_alive(site->while_lives->process);
}

static void *send_requests(void *arg)
{
	struct site *site = arg;

	for (size_t i = 0; i < site->each && goes_on(site); i++) {
		request(site, atomic_fetch_add(&site->requests, 1));
	}
	return NULL;
}

void site_clients_start(struct site *site, size_t each,
			struct site_program *while_lives)
{
	site->each = each;
	site->while_lives = while_lives;
	for (int i = 0; i < SITE_CLIENTS; i++) {
		ck_assert_int_eq(pthread_create(&site->clients[i], NULL,
						send_requests, site),
				 0);
	}
}

void site_clients_wait(struct site *site)
{
	for (int i = 0; i < SITE_CLIENTS; i++) {
		pthread_join(site->clients[i], NULL);
	}
}

void site_requests(struct site *site, size_t each,
		   struct site_program *while_lives)
{
	site_clients_start(site, each, while_lives);
	site_clients_wait(site);
}

void site_kill_amid_requests(struct site *site, struct site_program *program)
{
	enum { ENOUGH = 1000 };
	unsigned first = atomic_load(&site->requests);

	site_clients_start(site, ENOUGH, program);
	UNTIL(atomic_load(&site->requests) >= first + SITE_CLIENTS);
	process_signal(program->process, SIGKILL);
	ck_assert_int_eq(process_wait(program->process), 128 + SIGKILL);
	site_clients_wait(site);
}

/* ---- what has to hold ---------------------------------------------------- */

void site_expect_whole(const char *db)
{
	ck_assert_int_eq(rows_query(db, "SELECT integrity_check = 'ok' "
					"FROM pragma_integrity_check"),
			 1);
}

void site_expect_kept(struct site *site)
{
	struct site_ids in_echo;
	struct site_ids in_worker;

	read_ids(&in_echo, site->pair.echo_db,
		 "SELECT request_id FROM echo_requests");
	read_ids(&in_worker, site->pair.worker_db,
		 "SELECT task_id FROM worker_tasks");
	ids_sort(&site->acked);
	expect_subset(&site->acked, &in_echo,
		      "answered yes and not in echo's database");
	expect_subset(&site->acked, &in_worker,
		      "answered yes and not in worker's database");
	expect_subset(&in_echo, &in_worker, "in echo's database alone");
	if (!site->one_phase) {
		expect_subset(&in_worker, &in_echo,
			      "in worker's database alone");
	}
	ids_release(&in_echo);
	ids_release(&in_worker);
	site_expect_whole(site->pair.echo_db);
	site_expect_whole(site->pair.worker_db);
}

static void await_settled(struct site *site)
{
	UNTIL(rows_query(site->pair.worker_db,
			 "SELECT COUNT(*) FROM twopc_prepared"
			 " WHERE state = 1") == 0);
	UNTIL(rows_query(site->pair.echo_db,
			 "SELECT COUNT(*) FROM twopc_decisions") == 0);
}

void site_expect_recovery(struct site *site)
{
	char id[SITE_ID_SIZE];

	pair_await_ready(&site->pair);
	snprintf(id, sizeof(id), "w-%u", atomic_fetch_add(&site->requests, 1));
	pair_expect_works(&site->pair, id);
	ids_add(id, &site->acked);
	await_settled(site);
	site_expect_kept(site);
}
