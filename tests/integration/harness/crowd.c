#include "harness/crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/coordinator.h"

enum {
	ID_SIZE = 32,
	BIG_SIZE = 14 * 1024,
	AGAIN_MS = 5,  /* between two attempts under a key */
	ASK_MS = 2000, /* for programs that may be gone */
};

static const char id_prefix[] = "c-";

/* ---- the book ------------------------------------------------------------ */

void crowd_init(struct crowd *crowd, struct pair *pair,
		const struct crowd_manners *manners, unsigned seed)
{
	memset(crowd, 0, sizeof(*crowd));
	crowd->pair = pair;
	crowd->manners = *manners;
	crowd->seed = seed;
	pthread_mutex_init(&crowd->lock, NULL);
	crowd->threads = calloc(manners->clients, sizeof(*crowd->threads));
	ck_assert_ptr_nonnull(crowd->threads);
}

void crowd_release(struct crowd *crowd)
{
	free(crowd->requests);
	free(crowd->threads);
	pthread_mutex_destroy(&crowd->lock);
}

static size_t open_page(struct crowd *crowd, bool keyed)
{
	size_t number;

	pthread_mutex_lock(&crowd->lock);
	if (crowd->requests_n == crowd->capacity) {
		crowd->capacity = 2 * crowd->capacity + 1024;
		crowd->requests =
			realloc(crowd->requests,
				crowd->capacity * sizeof(*crowd->requests));
		ck_assert_ptr_nonnull(crowd->requests);
	}
	number = crowd->requests_n++;
	crowd->requests[number] = (struct crowd_request){
		.fate = CROWD_UNKNOWN,
		.keyed = keyed,
		.sent_ms = now_ms(),
	};
	pthread_mutex_unlock(&crowd->lock);
	return number;
}

static void write_down(struct crowd *crowd, size_t number, enum crowd_fate fate,
		       int status)
{
	pthread_mutex_lock(&crowd->lock);
	crowd->requests[number].fate = fate;
	crowd->requests[number].status = status;
	pthread_mutex_unlock(&crowd->lock);
}

static void write_left(struct crowd *crowd, size_t number)
{
	pthread_mutex_lock(&crowd->lock);
	crowd->requests[number].left = true;
	crowd->requests[number].left_ms = now_ms();
	pthread_mutex_unlock(&crowd->lock);
}

static enum crowd_fate fate_of(int status)
{
	return status == 200   ? CROWD_DONE
	       : status == 202 ? CROWD_PROMISED
	       : status == 0   ? CROWD_UNKNOWN
			       : CROWD_REFUSED;
}

size_t crowd_size(struct crowd *crowd)
{
	size_t n;

	pthread_mutex_lock(&crowd->lock);
	n = crowd->requests_n;
	pthread_mutex_unlock(&crowd->lock);
	return n;
}

/* ---- a request ----------------------------------------------------------- */

enum way { WAITS, HURRIES, CLOSES, RESETS, INSISTS, WAY_NR };

struct ask {
	struct crowd *crowd;
	size_t number;
	enum way way;
	int ms; /* when it leaves, or its deadline */
	int wait_ms;
	bool big;
};

static int below(unsigned *seed, int n)
{
	return (int)(rand_r(seed) % (unsigned)n);
}

static int draw_leave_ms(const struct crowd_manners *manners, unsigned *seed)
{
	if (below(seed, 2) == 0) {
		return below(seed, manners->leave_ms_max + 1);
	}
	return manners->work_ms - manners->around_ms +
	       below(seed, 2 * manners->around_ms + 1);
}

static void draw(struct ask *ask, unsigned *seed)
{
	const struct crowd_manners *manners = &ask->crowd->manners;
	int die = below(seed, 16);

	ask->way = die < 6    ? WAITS
		   : die < 8  ? INSISTS
		   : die < 10 ? HURRIES
		   : die < 13 ? CLOSES
			      : RESETS;
	ask->big = manners->big_every > 0 &&
		   below(seed, (int)manners->big_every) == 0;
	ask->ms = ask->way == HURRIES ? 1 + below(seed, manners->hurry_ms_max)
				      : draw_leave_ms(manners, seed);
	if (ask->ms < 0) {
		ask->ms = 0;
	}
}

/* "request_id=...&timeout=...&message=..." */
static size_t fill_params(const struct ask *ask, char *to, size_t size)
{
	int timeout_ms = ask->way == HURRIES ? ask->ms : ask->wait_ms;
	char hurry[32] = "";
	int n;

	if (timeout_ms > 0) {
		snprintf(hurry, sizeof(hurry), "&timeout=%dms", timeout_ms);
	}
	n = snprintf(to, size, "request_id=%s%zu%s&message=%s", id_prefix,
		     ask->number, hurry, ask->big ? "" : "hello");
	if (ask->big) {
		memset(to + n, 'm', BIG_SIZE);
		n += BIG_SIZE;
		to[n] = '\0';
	}
	return (size_t)n;
}

static bool send_ask(const struct ask *ask, struct client *client)
{
	char params[BIG_SIZE + 256];
	char key[64] = "";
	size_t size = fill_params(ask, params, sizeof(params));

	if (ask->big) {
		return client_post(client, "/echo",
				   "application/x-www-form-urlencoded", params,
				   size);
	}
	if (ask->way == INSISTS) {
		snprintf(key, sizeof(key), "Idempotency-Key: k-%zu\r\n",
			 ask->number);
	}
	return client_get_with(client, key, "/echo?%s", params);
}

static void leave(const struct ask *ask, struct client *client)
{
	write_left(ask->crowd, ask->number);
	if (ask->way == RESETS) {
		client_reset(client);
	} else {
		client_close(client);
	}
}

/* On a connection; how it goes, and its status. */
static enum crowd_fate converse(const struct ask *ask, struct client *client,
				int *ret_status)
{
	bool leaves = ask->way == CLOSES || ask->way == RESETS;
	int64_t until_ms = now_ms() + ask->ms;
	struct reply reply;
	bool told;

	*ret_status = 0;
	if (!send_ask(ask, client)) {
		client_close(client);
		return CROWD_UNKNOWN;
	}
	told = client_receive_within(client, &reply,
				     leaves ? ask->ms : 2 * PATIENCE_MS);
	if (leaves && !told && now_ms() >= until_ms) {
		leave(ask, client);
		return CROWD_UNKNOWN;
	}
	client_close(client);
	*ret_status = reply.status;
	return fate_of(reply.status);
}

static enum crowd_fate try_once(const struct ask *ask, int *ret_status)
{
	struct client client;

	*ret_status = 0;
	return client_try_open(&client, ask->crowd->pair->http_port)
		       ? converse(ask, &client, ret_status)
		       : CROWD_UNSENT;
}

/*
 * Until it is told that it is done. A refusal says of that attempt alone, and
 * there may have been one before it that broke off.
 */
static enum crowd_fate insist(const struct ask *ask, int *ret_status)
{
	enum crowd_fate fate;

	do {
		fate = try_once(ask, ret_status);
		if (fate == CROWD_DONE || fate == CROWD_PROMISED) {
			return fate;
		}
		pause_ms(AGAIN_MS);
	} while (!atomic_load(&ask->crowd->enough));
	return CROWD_UNKNOWN;
}

static int carry_out(struct ask *ask)
{
	struct crowd *crowd = ask->crowd;
	enum crowd_fate fate;
	int status;

	if (ask->big && ask->way == INSISTS) {
		ask->way = WAITS;
	}
	ask->number = open_page(crowd, ask->way == INSISTS);
	fate = ask->way == INSISTS ? insist(ask, &status)
				   : try_once(ask, &status);
	write_down(crowd, ask->number, fate, status);
	if (fate == CROWD_UNSENT) {
		pause_ms(AGAIN_MS); /* it is being started */
	}
	return status;
}

int crowd_ask(struct crowd *crowd)
{
	struct ask ask = { .crowd = crowd, .way = WAITS };

	return carry_out(&ask);
}

/* Nobody insists for ever. */
void crowd_ask_all_ways(struct crowd *crowd)
{
	crowd_enough(crowd);
	for (int way = 0; way < WAY_NR; way++) {
		struct ask ask = {
			.crowd = crowd,
			.way = (enum way)way,
			.ms = 1 + crowd->manners.work_ms,
			.wait_ms = crowd->manners.wait_ms,
			.big = way == WAITS,
		};

		carry_out(&ask);
	}
}

/* ---- the clients --------------------------------------------------------- */

struct client_start {
	struct crowd *crowd;
	unsigned seed;
};

static void *be_client(void *arg)
{
	struct client_start *start = arg;
	struct crowd *crowd = start->crowd;
	unsigned seed = start->seed;

	free(start);
	while (!atomic_load(&crowd->enough)) {
		struct ask ask = { .crowd = crowd,
				   .wait_ms = crowd->manners.wait_ms };

		draw(&ask, &seed);
		carry_out(&ask);
	}
	return NULL;
}

/* ---- the stranger -------------------------------------------------------- */

static void commit_nothing(struct coordinator *coordinator, unsigned number)
{
	struct exchange ex;
	char id[ID_SIZE];

	snprintf(id, sizeof(id), "nothing-%u", number);
	exchange_open_for(&ex, coordinator, id, ASK_MS);
	exchange_order(&ex, WORKER__ORDER__COMMIT);
	ck_assert_int_eq(exchange_next(&ex),
			 WORKER__VERDICT__VERDICT_UNSPECIFIED);
	ck_assert_int_ne(exchange_end(&ex), STATUS_OK);
	exchange_close(&ex);
}

static void *be_stranger(void *arg)
{
	struct crowd *crowd = arg;
	struct coordinator coordinator;

	coordinator_open(&coordinator, "stranger", crowd->pair->grpc_port);
	for (unsigned i = 0; !atomic_load(&crowd->enough); i++) {
		commit_nothing(&coordinator, i);
		pause_ms(AGAIN_MS);
	}
	coordinator_close(&coordinator);
	return NULL;
}

/* ---- all of them --------------------------------------------------------- */

void crowd_start(struct crowd *crowd)
{
	ck_assert_uint_eq(crowd->threads_n, 0);
	atomic_store(&crowd->enough, false);
	for (size_t i = 0; i < crowd->manners.clients; i++) {
		struct client_start *start = malloc(sizeof(*start));

		ck_assert_ptr_nonnull(start);
		*start =
			(struct client_start){ crowd,
					       (unsigned)rand_r(&crowd->seed) };
		ck_assert_int_eq(pthread_create(&crowd->threads[i], NULL,
						be_client, start),
				 0);
	}
	crowd->threads_n = crowd->manners.clients;
	if (crowd->manners.stranger) {
		ck_assert_int_eq(pthread_create(&crowd->stranger, NULL,
						be_stranger, crowd),
				 0);
	}
}

void crowd_enough(struct crowd *crowd)
{
	atomic_store(&crowd->enough, true);
}

void crowd_stop(struct crowd *crowd)
{
	crowd_enough(crowd);
	for (size_t i = 0; i < crowd->threads_n; i++) {
		pthread_join(crowd->threads[i], NULL);
	}
	if (crowd->manners.stranger && crowd->threads_n > 0) {
		pthread_join(crowd->stranger, NULL);
	}
	crowd->threads_n = 0;
}

/* ---- hearing ------------------------------------------------------------- */

/* The number of "<mark>c-<number>" in the line; false: there is none. */
static bool find_number(const char *line, size_t size, const char *mark,
			size_t *ret_number)
{
	const char *at = memmem(line, size, mark, strlen(mark));
	char digits[ID_SIZE] = "";
	size_t left;

	if (at == NULL) {
		return false;
	}
	at += strlen(mark);
	left = (size_t)(line + size - at);
	if (left < sizeof(id_prefix) - 1 ||
	    memcmp(at, id_prefix, sizeof(id_prefix) - 1) != 0) {
		return false;
	}
	at += sizeof(id_prefix) - 1;
	left -= sizeof(id_prefix) - 1;
	memcpy(digits, at, left < ID_SIZE - 1 ? left : ID_SIZE - 1);
	*ret_number = strtoul(digits, NULL, 10);
	return true;
}

static bool has(const char *line, size_t size, const char *text)
{
	return memmem(line, size, text, strlen(text)) != NULL;
}

static void hear_line(const char *line, size_t size, void *arg)
{
	struct crowd *crowd = arg;
	size_t number;

	ck_assert_msg(!has(line, size, "CONTRADICTION") ||
			      has(line, size, "coordinator=stranger"),
		      "what can't be: %.*s", (int)size, line);
	if (find_number(line, size,
			"TRANSACTION COMMITTED for request_id=", &number) ||
	    find_number(line, size,
			"TRANSACTION COMMITTED for task_id=", &number)) {
		ck_assert_uint_lt(number, crowd->requests_n);
		crowd->requests[number].heard_done = true;
	} else if (find_number(line, size,
			       "TRANSACTION ROLLED BACK for request_id=",
			       &number) ||
		   find_number(
			   line, size,
			   "TRANSACTION ROLLED BACK for task_id=", &number)) {
		ck_assert_uint_lt(number, crowd->requests_n);
		crowd->requests[number].heard_undone = true;
	}
}

void crowd_hear(struct crowd *crowd, struct process *process)
{
	if (process->pid != 0) {
		pthread_mutex_lock(&crowd->lock);
		process_each_line(process, hear_line, crowd);
		pthread_mutex_unlock(&crowd->lock);
	}
}

/* ---- settling ------------------------------------------------------------ */

static bool get(int port, const char *path, struct reply *ret_reply)
{
	struct client client;
	bool told;

	if (!client_try_open(&client, port)) {
		return false;
	}
	told = client_get(&client, "%s", path) &&
	       client_receive_within(&client, ret_reply, ASK_MS) &&
	       ret_reply->status == 200;
	client_close(&client);
	return told;
}

static bool is_idle(int port, const char *service)
{
	struct reply reply;
	char line[64];

	snprintf(line, sizeof(line), "\nrescind_in_flight{service=\"%s\"} 0\n",
		 service);
	return get(port, "/metrics", &reply) &&
	       strstr(reply.body, line) != NULL;
}

static bool nothing_is_decided(struct crowd *crowd)
{
	struct reply reply;

	return get(crowd->pair->http_port, "/transactions", &reply) &&
	       strstr(reply.body, "\"transactions\":[]") != NULL;
}

/* As the worker tells it, of all coordinators. */
static bool nothing_is_prepared(struct crowd *crowd)
{
	Worker__ListTransactionsRequest request =
		WORKER__LIST_TRANSACTIONS_REQUEST__INIT;
	struct coordinator coordinator;
	struct listed listed;

	request.in_doubt_only = true;
	request.page_size = 1;
	coordinator_open(&coordinator, "", crowd->pair->grpc_port);
	coordinator.patience_ms = ASK_MS;
	coordinator_list(&coordinator, &request, &listed);
	coordinator_close(&coordinator);
	return listed.status.code == STATUS_OK && listed.n == 0;
}

/* Of the worker first: what is under way there may still become in doubt. */
bool crowd_is_settled(struct crowd *crowd)
{
	struct pair *pair = crowd->pair;
	struct reply reply;

	return get(pair->http_port, "/readyz", &reply) &&
	       is_idle(pair->http_port, "echo") &&
	       is_idle(process_port(&pair->worker, "metrics_port"), "worker") &&
	       nothing_is_decided(crowd) && nothing_is_prepared(crowd);
}

/* Which of it does not hold, and what the two have said. */
static _Noreturn void abort_unsettled(struct crowd *crowd)
{
	struct pair *pair = crowd->pair;
	int metrics_port = process_port(&pair->worker, "metrics_port");

	fprintf(stderr, "echo's log:\n%s\n", process_tail(&pair->echo));
	fprintf(stderr, "worker's log:\n%s\n", process_tail(&pair->worker));
	ck_abort_msg("not settled: ready: %d, echo idle: %d, worker idle: %d, "
		     "nothing decided: %d, nothing prepared: %d",
		     http_status_of(pair->http_port, "/readyz"),
		     is_idle(pair->http_port, "echo"),
		     is_idle(metrics_port, "worker"), nothing_is_decided(crowd),
		     nothing_is_prepared(crowd));
}

static void await_settled(struct crowd *crowd)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;

	while (!crowd_is_settled(crowd)) {
		if (now_ms() >= until_ms) {
			abort_unsettled(crowd);
		}
		pause_ms(2);
	}
}

void crowd_settle(struct crowd *crowd)
{
	int64_t begun_ms = now_ms();

	await_settled(crowd);
	if (now_ms() - begun_ms > crowd->settle_ms_max) {
		crowd->settle_ms_max = now_ms() - begun_ms;
	}
	ck_assert_int_eq(crowd_ask(crowd), 200);
	await_settled(crowd);
}

/* ---- what has to hold ---------------------------------------------------- */

struct counting {
	struct crowd *crowd;
	bool is_echo;
};

static void count_row(const char *id, void *arg)
{
	struct counting *counting = arg;
	struct crowd *crowd = counting->crowd;
	size_t prefix_size = sizeof(id_prefix) - 1;
	size_t number;

	ck_assert_msg(id != NULL, "a row has no id");
	ck_assert_msg(strncmp(id, id_prefix, prefix_size) == 0,
		      "nobody asked for %s", id);
	number = strtoul(id + prefix_size, NULL, 10);
	ck_assert_msg(number < crowd->requests_n, "nobody asked for %s", id);
	if (counting->is_echo) {
		crowd->requests[number].in_echo++;
	} else {
		crowd->requests[number].in_worker++;
	}
}

static void count_rows(struct crowd *crowd)
{
	struct counting echo = { crowd, true };
	struct counting worker = { crowd, false };

	for (size_t i = 0; i < crowd->requests_n; i++) {
		crowd->requests[i].in_echo = 0;
		crowd->requests[i].in_worker = 0;
	}
	rows_each(crowd->pair->echo_db, "SELECT request_id FROM echo_requests",
		  count_row, &echo);
	rows_each(crowd->pair->worker_db, "SELECT task_id FROM worker_tasks",
		  count_row, &worker);
}

static bool must_be_there(const struct crowd_request *request)
{
	return request->fate == CROWD_DONE || request->fate == CROWD_PROMISED ||
	       request->heard_done;
}

/* Of one that was asked for again, it says nothing of the other attempts. */
static bool must_be_nowhere(const struct crowd_request *request)
{
	return !request->keyed &&
	       (request->fate == CROWD_UNSENT ||
		request->fate == CROWD_REFUSED || request->heard_undone);
}

static const char *what_is_wrong(const struct crowd_request *request)
{
	unsigned rows = request->in_echo;

	if (request->in_echo != request->in_worker) {
		return "is not in both, nor in neither";
	}
	if (rows > 1) {
		return "is there twice";
	}
	if (rows == 0 && must_be_there(request)) {
		return "is lost";
	}
	if (rows == 1 && must_be_nowhere(request)) {
		return "is there, though it was undone";
	}
	return NULL;
}

static bool expect_of(const struct crowd_request *request, size_t number)
{
	const char *wrong = what_is_wrong(request);

	if (wrong != NULL) {
		fprintf(stderr,
			"VIOLATION: %s%zu %s: %u rows in echo's file, %u in "
			"worker's; status %d%s%s; the logs say%s%s\n",
			id_prefix, number, wrong, request->in_echo,
			request->in_worker, request->status,
			request->left ? ", client left" : "",
			request->keyed ? ", asked again under a key" : "",
			request->heard_done ? " committed" : "",
			request->heard_undone ? " rolled back" : "");
	}
	return wrong == NULL;
}

static void expect_whole(const char *db)
{
	ck_assert_int_eq(rows_query(db, "SELECT integrity_check = 'ok' "
					"FROM pragma_integrity_check"),
			 1);
}

void crowd_expect_both_or_neither(struct crowd *crowd)
{
	size_t violations = 0;

	crowd_hear(crowd, &crowd->pair->echo);
	crowd_hear(crowd, &crowd->pair->worker);
	count_rows(crowd);
	for (size_t i = 0; i < crowd->requests_n; i++) {
		violations += !expect_of(&crowd->requests[i], i);
	}
	ck_assert_msg(violations == 0, "violations: %zu, in %s", violations,
		      crowd->pair->dir);
	ck_assert_int_eq(rows_query(crowd->pair->worker_db,
				    "SELECT COUNT(*) FROM twopc_prepared "
				    "WHERE state = 1"),
			 0);
	expect_whole(crowd->pair->echo_db);
	expect_whole(crowd->pair->worker_db);
}

void crowd_expect_nothing_left(struct crowd *crowd)
{
	ck_assert_int_eq(rows_query(crowd->pair->echo_db,
				    "SELECT COUNT(*) FROM twopc_decisions"),
			 0);
	ck_assert_int_eq(rows_query(crowd->pair->worker_db,
				    "SELECT COUNT(*) FROM twopc_prepared"),
			 0);
}

/* ---- what was ------------------------------------------------------------ */

size_t crowd_count(struct crowd *crowd, enum crowd_fate fate)
{
	size_t n = 0;

	for (size_t i = 0; i < crowd->requests_n; i++) {
		n += crowd->requests[i].fate == fate;
	}
	return n;
}

size_t crowd_count_left(struct crowd *crowd)
{
	size_t n = 0;

	for (size_t i = 0; i < crowd->requests_n; i++) {
		n += crowd->requests[i].left;
	}
	return n;
}

const char *crowd_summary(struct crowd *crowd)
{
	static char text[256];

	snprintf(text, sizeof(text),
		 "requests=%zu done=%zu promised=%zu refused=%zu left=%zu "
		 "cut_off=%zu settled_in_ms_max=%lld",
		 crowd->requests_n, crowd_count(crowd, CROWD_DONE),
		 crowd_count(crowd, CROWD_PROMISED),
		 crowd_count(crowd, CROWD_REFUSED), crowd_count_left(crowd),
		 crowd_count(crowd, CROWD_UNKNOWN) - crowd_count_left(crowd),
		 (long long)crowd->settle_ms_max);
	return text;
}
