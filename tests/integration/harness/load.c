#include "harness/load.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/run.h"

struct load_request *load_plan(size_t n, const char *prefix)
{
	struct load_request *requests = calloc(n, sizeof(*requests));

	ck_assert_ptr_nonnull(requests);
	for (size_t i = 0; i < n; i++) {
		snprintf(requests[i].id, sizeof(requests[i].id), "%s-%zu",
			 prefix, i);
	}
	return requests;
}

/* ---- one request --------------------------------------------------------- */

static void leave(struct load_request *request, struct client *client)
{
	request->left_ms = now_ms();
	if (request->leave == LOAD_RESET) {
		client_reset(client);
	} else {
		client_close(client);
	}
	request->end = LOAD_LEFT;
}

static void by_socket(struct load_request *request, int port)
{
	int ms = request->leave == LOAD_STAY ? PATIENCE_MS : request->leave_ms;
	struct client client;
	struct reply reply;

	if (!client_try_open(&client, port)) {
		request->end = LOAD_REFUSED;
		return;
	}
	request->sent_ms = now_ms();
	if (!client_get(&client, "/echo?request_id=%s&message=load",
			request->id)) {
		request->end = LOAD_LOST;
		client_close(&client);
		return;
	}
	if (client_receive_within(&client, &reply, ms)) {
		request->end = LOAD_ANSWERED;
		request->status = reply.status;
		client_close(&client);
	} else if (request->leave != LOAD_STAY &&
		   now_ms() >= request->sent_ms + ms) {
		leave(request, &client);
	} else {
		request->end = LOAD_LOST;
		request->left_ms = now_ms();
		client_close(&client);
	}
}

static void by_curl(struct load_request *request, int port)
{
	struct process curl;
	char url[PATH_SIZE];
	const char *status;

	snprintf(url, sizeof(url),
		 "http://127.0.0.1:%d/echo?request_id=%s&message=load", port,
		 request->id);
	request->sent_ms = now_ms();
	PROCESS_START(&curl, tool_find("curl"), NULL, "-sS", "-o", "/dev/null",
		      "-w", "status=%{http_code}\n", url);
	pause_ms(request->leave_ms);
	request->left_ms = now_ms();
	process_signal(&curl, SIGKILL);
	request->end = LOAD_LEFT;
	if (process_wait(&curl) != 128 + SIGKILL) {
		request->end = LOAD_LOST;
		status = curl.log != NULL ? strstr(curl.log, "status=") : NULL;
		if (status != NULL) {
			request->status = atoi(status + strlen("status="));
		}
		if (request->status != 0) {
			request->end = LOAD_ANSWERED;
		}
	}
	process_release(&curl);
}

/* ---- all of them --------------------------------------------------------- */

static void *work(void *arg)
{
	struct load *load = arg;

	for (;;) {
		size_t i = atomic_fetch_add(&load->next, 1);
		struct load_request *request;

		if (i >= load->requests_n) {
			return NULL;
		}
		request = &load->requests[i];
		if (request->begin_ms > 0) {
			pause_ms(request->begin_ms);
		}
		if (request->leave == LOAD_KILL) {
			by_curl(request, load->port);
		} else {
			by_socket(request, load->port);
		}
		if (request->end == LOAD_ANSWERED) {
			atomic_fetch_add(&load->answered, 1);
		}
	}
}

void load_start(struct load *load, int port, struct load_request *requests,
		size_t n, size_t threads)
{
	load->port = port;
	load->requests = requests;
	load->requests_n = n;
	atomic_init(&load->next, 0);
	atomic_init(&load->answered, 0);
	load->threads = calloc(threads, sizeof(*load->threads));
	load->threads_n = threads;
	ck_assert_ptr_nonnull(load->threads);
	for (size_t i = 0; i < threads; i++) {
		ck_assert_int_eq(
			pthread_create(&load->threads[i], NULL, work, load), 0);
	}
}

void load_wait(struct load *load)
{
	for (size_t i = 0; i < load->threads_n; i++) {
		pthread_join(load->threads[i], NULL);
	}
	free(load->threads);
	load->threads = NULL;
}

void load_run(int port, struct load_request *requests, size_t n, size_t threads)
{
	struct load load;

	load_start(&load, port, requests, n, threads);
	load_wait(&load);
}

size_t load_answered(struct load *load)
{
	return atomic_load(&load->answered);
}

size_t load_count(const struct load_request *requests, size_t n, int status)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		found += requests[i].end == LOAD_ANSWERED &&
			 requests[i].status == status;
	}
	return found;
}

/* ---- what must be true afterwards ---------------------------------------- */

static bool is_yes(const struct load_request *request)
{
	return request->end == LOAD_ANSWERED &&
	       (request->status == 200 || request->status == 202);
}

static void expect_consistent(struct pair *pair, const struct load_request *r)
{
	int in_echo = echo_rows(pair->echo_db, r->id);
	int in_worker = worker_rows(pair->worker_db, r->id);

	ck_assert_msg(in_echo == in_worker && in_echo <= 1,
		      "%s: %d rows in echo's database, %d in worker's", r->id,
		      in_echo, in_worker);
	ck_assert_msg(!is_yes(r) || in_echo == 1,
		      "%s was answered %d and is in neither", r->id, r->status);
	ck_assert_msg(is_yes(r) || r->end != LOAD_ANSWERED || in_echo == 0,
		      "%s was answered %d and is in both", r->id, r->status);
}

void load_expect_consistent(struct pair *pair,
			    const struct load_request *requests, size_t n)
{
	UNTIL(rows_query(pair->worker_db, "SELECT COUNT(*) FROM twopc_prepared"
					  " WHERE state = 1") == 0);
	for (size_t i = 0; i < n; i++) {
		expect_consistent(pair, &requests[i]);
	}
}
