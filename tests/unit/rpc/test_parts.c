/* What server and client are made of. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "rpc/connections.h"
#include "rpc/message.h"
#include "rpc/metadata.h"
#include "rpc/poller.h"

/* ---- poller ------------------------------------------------------------- */

enum { POSTS = 1000, THREADS = 4 };

struct numbered {
	struct post post;
	struct line *line;
	int number;
};

struct line {
	struct rpc_poller *poller;
	struct numbered items[POSTS];
	int next; /* the poller's */
	struct signal done;
};

static void run_numbered(struct post *post)
{
	struct numbered *item = (struct numbered *)post;

	ck_assert(poller_is_current(item->line->poller));
	ck_assert_int_eq(item->number, item->line->next);
	if (++item->line->next == POSTS) {
		signal_raise(&item->line->done);
	}
}

static void *post_all(void *arg)
{
	struct line *line = arg;

	for (int i = 0; i < POSTS; i++) {
		line->items[i] = (struct numbered){
			.post = { .fn = run_numbered },
			.line = line,
			.number = i,
		};
		poller_run(line->poller, &line->items[i].post);
	}
	return NULL;
}

START_TEST(posts_of_a_thread_run_in_order_and_none_is_lost)
{
	struct line *lines = calloc(THREADS, sizeof(*lines));
	pthread_t threads[THREADS];
	struct rpc_poller *poller;
	struct status st;

	ck_assert_ptr_nonnull(lines);
	ck_assert_int_eq(rpc_poller_new(&poller, &st), STATUS_OK);
	for (int i = 0; i < THREADS; i++) {
		lines[i].poller = poller;
		signal_init(&lines[i].done);
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, post_all, &lines[i]),
			0);
	}
	for (int i = 0; i < THREADS; i++) {
		signal_await(&lines[i].done, 1);
		pthread_join(threads[i], NULL);
	}
	rpc_poller_free(poller);
	free(lines);
}
END_TEST

struct ping {
	struct post post;
	struct signal done;
};

static void run_ping(struct post *post)
{
	signal_raise(&((struct ping *)post)->done);
}

/* Each post finds the poller asleep, or just falling asleep. */
START_TEST(a_sleeping_poller_is_woken_by_a_post)
{
	struct ping ping = { .post = { .fn = run_ping } };
	struct rpc_poller *poller;
	struct status st;

	ck_assert_int_eq(rpc_poller_new(&poller, &st), STATUS_OK);
	signal_init(&ping.done);
	for (unsigned i = 1; i <= 5000; i++) {
		poller_run(poller, &ping.post);
		signal_await(&ping.done, i);
	}
	rpc_poller_free(poller);
}
END_TEST

/* ---- arena -------------------------------------------------------------- */

START_TEST(an_arena_gives_memory_that_does_not_overlap)
{
	enum { N = 300 };
	struct arena arena;
	uint8_t *blocks[N];

	arena_init(&arena);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < N; i++) {
			blocks[i] = arena_alloc(&arena, i * 7);
			ck_assert_uint_eq((uintptr_t)blocks[i] % 16, 0);
			memset(blocks[i], (int)i, i * 7);
		}
		for (size_t i = 0; i < N; i++) {
			for (size_t at = 0; at < i * 7; at++) {
				ck_assert_uint_eq(blocks[i][at], (uint8_t)i);
			}
		}
		arena_clear(&arena);
	}
}
END_TEST

/* ---- metadata and texts ------------------------------------------------- */

static void check_clean(const char *from, const char *to, size_t room)
{
	char text[64];

	memset(text, 'X', sizeof(text));
	text_clean((const uint8_t *)from, strlen(from), text, room);
	ck_assert_str_eq(text, to);
}

START_TEST(texts_are_made_utf8_and_cut_between_characters)
{
	check_clean("", "", 64);
	check_clean("plain", "plain", 64);
	check_clean("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
		    "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 64);
	check_clean("a\xFFz", "a?z", 64);
	check_clean("cut\xE2\x82", "cut??", 64);
	check_clean("\xED\xA0\x80", "???", 64);
	check_clean("four\xE2\x82\xAC", "four", 7);
	check_clean("four\xE2\x82\xAC", "four\xE2\x82\xAC", 8);
}
END_TEST

START_TEST(deadlines_survive_the_way_there_and_back)
{
	int64_t now_ns = clock_now_ns();

	ck_assert_int_eq(deadline_from_wire(deadline_to_wire(now_ns)), now_ns);
	ck_assert_int_eq(deadline_from_wire(deadline_to_wire(CLOCK_NEVER)),
			 CLOCK_NEVER);
	ck_assert_int_eq(
		deadline_from_wire(gpr_inf_future(GPR_CLOCK_MONOTONIC)),
		CLOCK_NEVER);
}
END_TEST

START_TEST(a_foreign_code_is_unknown)
{
	struct status st = status_from_wire((grpc_status_code)77,
					    grpc_slice_from_static_string("?"));

	ck_assert_int_eq(st.code, STATUS_UNKNOWN);
	ck_assert_str_eq(st.message, "?");
}
END_TEST

START_TEST(metadata_grows_beyond_its_inline_room)
{
	struct metadata_out out;
	char key[16];

	metadata_out_init(&out);
	for (int i = 0; i < 50; i++) {
		snprintf(key, sizeof(key), "x-%d", i);
		metadata_out_add(&out, key, key, strlen(key));
	}
	ck_assert_uint_eq(out.count, 50);
	for (int i = 0; i < 50; i++) {
		snprintf(key, sizeof(key), "x-%d", i);
		ck_assert(grpc_slice_str_cmp(out.items[i].value, key) == 0);
	}
	metadata_out_release(&out);
}
END_TEST

/* ---- connections -------------------------------------------------------- */

START_TEST(a_number_that_is_used_again_is_another_connection)
{
	struct connections connections;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	connections_init(&connections, 10);
	ck_assert(connections_add(&connections, fd));
	ck_assert_uint_eq(connections_count(&connections), 1);
	close(fd);
	ck_assert_int_eq(socket(AF_INET, SOCK_STREAM, 0), fd);
	ck_assert(connections_add(&connections, fd));
	ck_assert_uint_eq(connections_count(&connections), 1);
	ck_assert_int_eq(dup2(STDERR_FILENO, fd), fd);
	ck_assert_uint_eq(connections_count(&connections), 0);
	close(fd);
	connections_release(&connections);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("parts");

	tcase_add_test(tc, posts_of_a_thread_run_in_order_and_none_is_lost);
	tcase_add_test(tc, a_sleeping_poller_is_woken_by_a_post);
	tcase_add_test(tc, an_arena_gives_memory_that_does_not_overlap);
	tcase_add_test(tc, texts_are_made_utf8_and_cut_between_characters);
	tcase_add_test(tc, deadlines_survive_the_way_there_and_back);
	tcase_add_test(tc, a_foreign_code_is_unknown);
	tcase_add_test(tc, metadata_grows_beyond_its_inline_room);
	tcase_add_test(tc, a_number_that_is_used_again_is_another_connection);
	return run_case(tc, "rpc_parts");
}
