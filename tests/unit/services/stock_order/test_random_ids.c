#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stock_order/adaptor/random_ids.h"
#include "stock_order/adaptor/system_clock.h"
#include "suite.h"

enum { THREADS_NR = 4, IDS_OF_THREAD = 20000 };

static char ids[THREADS_NR * IDS_OF_THREAD][ORDER_ID_SIZE];

static pthread_barrier_t start;

static void *make_some(void *arg)
{
	char(*mine)[ORDER_ID_SIZE] = arg;

	pthread_barrier_wait(&start);
	for (int i = 0; i < IDS_OF_THREAD; i++) {
		random_ids()->make(random_ids(), mine[i]);
	}
	return NULL;
}

static void make_all(void)
{
	pthread_t threads[THREADS_NR];

	pthread_barrier_init(&start, NULL, THREADS_NR);
	for (size_t i = 0; i < THREADS_NR; i++) {
		pthread_create(&threads[i], NULL, make_some,
			       ids[i * IDS_OF_THREAD]);
	}
	for (size_t i = 0; i < THREADS_NR; i++) {
		pthread_join(threads[i], NULL);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(ids_of_all_threads_differ)
{
	size_t n = sizeof(ids) / sizeof(ids[0]);

	make_all();
	qsort(ids, n, sizeof(ids[0]), compare);
	for (size_t i = 1; i < n; i++) {
		ck_assert_msg(compare(ids[i - 1], ids[i]) != 0, "%s twice",
			      ids[i]);
	}
}
END_TEST

/* An assertion costs more than the id. */
static bool has_form(const char *id)
{
	bool good = strlen(id) == 36 && id[14] == '4' &&
		    strchr("89ab", id[19]) != NULL;

	for (size_t i = 0; i < 36 && good; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		good = strchr(dash ? "-" : "0123456789abcdef", id[i]) != NULL;
	}
	return good;
}

/* Each of the 122 random bits is 1 about half of the time. */
START_TEST(ids_are_uuids_of_version_4)
{
	int counts[36][16] = { 0 };
	int n = THREADS_NR * IDS_OF_THREAD;

	make_all();
	for (int i = 0; i < n; i++) {
		ck_assert_msg(has_form(ids[i]), "%s", ids[i]);
		for (int at = 0; at < 36; at++) {
			const char c = ids[i][at];

			counts[at][c > '9' ? c - 'a' + 10 : c & 15]++;
		}
	}
	for (int at = 0; at < 36; at++) {
		if (at == 8 || at == 13 || at == 18 || at == 23 || at == 14) {
			continue;
		}
		for (int digit = 0; digit < 16; digit++) {
			bool possible = at != 19 || (digit >= 8 && digit < 12);
			int usual = at == 19 ? n / 4 : n / 16;

			ck_assert_int_ge(counts[at][digit],
					 possible ? usual / 2 : 0);
			ck_assert_int_le(counts[at][digit],
					 possible ? usual * 2 : 0);
		}
	}
}
END_TEST

START_TEST(the_clock_is_that_of_the_system)
{
	struct order_clock *clock = system_clock();
	int64_t before_s = (int64_t)time(NULL);
	int64_t now_us = clock->now_us(clock);

	/* time() may lag by a tick. */
	ck_assert_int_ge(now_us / 1000000 + 1, before_s);
	ck_assert_int_le(now_us / 1000000, (int64_t)time(NULL) + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("random_ids");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, ids_of_all_threads_differ);
	tcase_add_test(tc, ids_are_uuids_of_version_4);
	tcase_add_test(tc, the_clock_is_that_of_the_system);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
