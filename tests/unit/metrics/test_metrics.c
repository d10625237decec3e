#include <check.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "metrics/metrics.h"
#include "page.h"

static struct metrics *m;

static void setup(void)
{
	m = metrics_new();
}

static void teardown(void)
{
	metrics_free(m);
}

/* The page, checked; valid until the next call. */
static const char *page(void)
{
	static char *text;
	size_t size;

	free(text);
	text = metrics_render(m, &size);
	ck_assert_uint_eq(size, strlen(text));
	page_check(text);
	return text;
}

static void assert_page(const char *expected)
{
	ck_assert_str_eq(page(), expected);
}

START_TEST(an_empty_registry_is_an_empty_page)
{
	assert_page("");
}
END_TEST

START_TEST(families_and_series_are_grouped_and_in_order)
{
	metrics_gauge_set(metrics_gauge(m, "b_size", "Size", NULL), -3);
	metrics_inc(metrics_counter(m, "c_total", "Ends",
				    METRICS_LABELS({ "cause", "z" })),
		    1);
	metrics_gauge_add(metrics_gauge(m, "a_size", "Other", NULL), 5);
	metrics_inc(metrics_counter(m, "c_total", "Ends",
				    METRICS_LABELS({ "cause", "a" })),
		    2);
	assert_page("# HELP a_size Other\n# TYPE a_size gauge\na_size 5\n"
		    "# HELP b_size Size\n# TYPE b_size gauge\nb_size -3\n"
		    "# HELP c_total Ends\n# TYPE c_total counter\n"
		    "c_total{cause=\"a\"} 2\nc_total{cause=\"z\"} 1\n");
}
END_TEST

START_TEST(label_values_and_help_are_escaped)
{
	metrics_gauge(
		m, "g", "back\\slash, \"quote\" and\nnewline",
		METRICS_LABELS({ "l", "back\\slash \"quote\"\nnewline" }));
	assert_page("# HELP g back\\\\slash, \"quote\" and\\nnewline\n"
		    "# TYPE g gauge\n"
		    "g{l=\"back\\\\slash \\\"quote\\\"\\nnewline\"} 0\n");
}
END_TEST

START_TEST(the_same_series_is_the_same_object_in_any_order_of_labels)
{
	struct metrics_counter *one =
		metrics_counter(m, "c_total", "Help",
				METRICS_LABELS({ "a", "1" }, { "b", "2" }));

	ck_assert_ptr_eq(one, metrics_counter(m, "c_total", "Help",
					      METRICS_LABELS({ "b", "2" },
							     { "a", "1" })));
	ck_assert_ptr_ne(one, metrics_counter(m, "c_total", "Help",
					      METRICS_LABELS({ "b", "1" },
							     { "a", "2" })));
	metrics_inc(one, 7);
	ck_assert_double_eq(page_value(page(), "c_total{a=\"1\",b=\"2\"}"), 7);
	ck_assert_double_eq(page_value(page(), "c_total{a=\"2\",b=\"1\"}"), 0);
}
END_TEST

START_TEST(an_observation_counts_in_its_bucket_and_all_above)
{
	struct metrics_histogram *h = metrics_histogram_seconds(
		m, "h_seconds", "Time", METRICS_LABELS({ "l", "x" }));

	metrics_observe_ns(h, 500000);	    /* on a bound: belongs to it */
	metrics_observe_ns(h, 500001);	    /* just above */
	metrics_observe_ns(h, 40000000000); /* above all */
	metrics_observe_ns(h, -1);
	ck_assert_double_eq(
		page_value(page(), "h_seconds_bucket{l=\"x\",le=\"0.0005\"}"),
		2);
	ck_assert_double_eq(
		page_value(page(), "h_seconds_bucket{l=\"x\",le=\"0.001\"}"),
		3);
	ck_assert_double_eq(
		page_value(page(), "h_seconds_bucket{l=\"x\",le=\"30\"}"), 3);
	ck_assert_double_eq(
		page_value(page(), "h_seconds_bucket{l=\"x\",le=\"+Inf\"}"), 4);
	ck_assert_double_eq(page_value(page(), "h_seconds_count{l=\"x\"}"), 4);
	ck_assert_ptr_nonnull(
		strstr(page(), "\nh_seconds_sum{l=\"x\"} 40.001000001\n"));
}
END_TEST

START_TEST(histograms_of_one_name_stay_apart)
{
	struct metrics_histogram *a = metrics_histogram_seconds(
		m, "h_seconds", "Time", METRICS_LABELS({ "l", "a" }));
	struct metrics_histogram *b = metrics_histogram_seconds(
		m, "h_seconds", "Time", METRICS_LABELS({ "l", "b" }));

	metrics_observe_ns(a, 1);
	metrics_observe_ns(b, 1);
	metrics_observe_ns(b, 1);
	ck_assert_double_eq(page_value(page(), "h_seconds_count{l=\"a\"}"), 1);
	ck_assert_double_eq(page_value(page(), "h_seconds_count{l=\"b\"}"), 2);
}
END_TEST

static double read_arg(void *arg)
{
	return *(const double *)arg;
}

static const struct {
	double value;
	const char *text;
} doubles[] = {
	{ 0, "0" },
	{ 0.1, "0.1" },
	{ 1e21, "1e+21" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ (double)INFINITY, "+Inf" },
	{ (double)NAN, "NaN" },
	{ -2.5, "-2.5" },
};

START_TEST(a_gauge_that_is_read_shows_the_value_of_that_moment)
{
	double value = doubles[_i].value;
	char expected[100];

	metrics_read_gauge(m, "g", "Help", NULL, read_arg, &value);
	(void)snprintf(expected, sizeof(expected),
		       "# HELP g Help\n# TYPE g gauge\ng %s\n",
		       doubles[_i].text);
	assert_page(expected);
}
END_TEST

START_TEST(what_is_read_and_ends_in_total_is_a_counter)
{
	double value = 3;

	metrics_read_gauge(m, "reads_total", "Help", NULL, read_arg, &value);
	ck_assert_ptr_nonnull(strstr(page(), "# TYPE reads_total counter\n"));
}
END_TEST

enum { THREADS = 4, ROUNDS = 100000 };

static void *update(void *arg)
{
	struct metrics_counter *c = metrics_counter(m, "c_total", "C", NULL);
	struct metrics_gauge *g = metrics_gauge(m, "g", "G", NULL);
	struct metrics_histogram *h =
		metrics_histogram_seconds(m, "h_seconds", "H", NULL);

	pthread_barrier_wait(arg);
	for (int i = 0; i < ROUNDS; i++) {
		metrics_inc(c, 1);
		metrics_gauge_add(g, i % 2 == 0 ? 1 : -1);
		metrics_observe_ns(h, i);
	}
	return NULL;
}

START_TEST(updates_of_many_threads_all_count_while_pages_are_made)
{
	pthread_t threads[THREADS];
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, THREADS);
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, update, &start), 0);
	}
	for (int i = 0; i < 20; i++) {
		(void)page();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	ck_assert_double_eq(page_value(page(), "c_total"), THREADS * ROUNDS);
	ck_assert_double_eq(page_value(page(), "g"), 0);
	ck_assert_double_eq(page_value(page(), "h_seconds_count"),
			    THREADS * ROUNDS);
}
END_TEST

static double open_descriptors(void)
{
	double n = 0;

	for (int fd = 0; fd < 1024; fd++) {
		n += fcntl(fd, F_GETFD) >= 0;
	}
	return n;
}

START_TEST(the_process_tells_of_itself)
{
	double fds;
	int fd;
	const char *text;

	metrics_add_process(m, "1.2.3");
	text = page();
	ck_assert_double_gt(page_value(text, "process_resident_memory_bytes"),
			    100e3);
	ck_assert_double_le(
		fabs(page_value(text, "process_start_time_seconds") -
		     (double)time(NULL)),
		60);
	ck_assert_double_ge(page_value(text, "process_cpu_seconds_total"), 0);
	ck_assert_double_ge(page_value(text, "process_max_fds"), 16);
	ck_assert_double_eq(
		page_value(text, "rescind_build_info{version=\"1.2.3\"}"), 1);
	fds = page_value(text, "process_open_fds");
	ck_assert_double_eq(fds, open_descriptors());
	fd = open("/dev/null", O_RDONLY);
	ck_assert_double_eq(page_value(page(), "process_open_fds"), fds + 1);
	close(fd);
	ck_assert_double_eq(page_value(page(), "process_open_fds"), fds);
}
END_TEST

static void name_empty(void)
{
	metrics_gauge(m, "", "H", NULL);
}
static void name_with_dash(void)
{
	metrics_gauge(m, "a-b", "H", NULL);
}
static void name_with_digit_first(void)
{
	metrics_gauge(m, "1a", "H", NULL);
}
static void counter_without_total(void)
{
	metrics_counter(m, "a", "H", NULL);
}
static void gauge_with_total(void)
{
	metrics_gauge(m, "a_total", "H", NULL);
}
static void label_with_colon(void)
{
	metrics_gauge(m, "a", "H", METRICS_LABELS({ "a:b", "" }));
}
static void label_reserved(void)
{
	metrics_gauge(m, "a", "H", METRICS_LABELS({ "__name__", "" }));
}
static void label_twice(void)
{
	metrics_gauge(m, "a", "H", METRICS_LABELS({ "x", "1" }, { "x", "2" }));
}
static void label_le_in_histogram(void)
{
	metrics_histogram_seconds(m, "a", "H", METRICS_LABELS({ "le", "1" }));
}
static void two_types(void)
{
	metrics_gauge(m, "a", "H", NULL);
	metrics_histogram_seconds(m, "a", "H", NULL);
}
static void read_and_set(void)
{
	metrics_gauge(m, "a", "H", NULL);
	metrics_read_gauge(m, "a", "H", NULL, read_arg, NULL);
}

static void (*const bugs[])(void) = {
	name_empty,
	name_with_dash,
	name_with_digit_first,
	counter_without_total,
	gauge_with_total,
	label_with_colon,
	label_reserved,
	label_twice,
	label_le_in_histogram,
	two_types,
	read_and_set,
};

START_TEST(what_no_scraper_would_take_stops_the_process)
{
	(void)!freopen("/dev/null", "w", stderr);
	bugs[_i]();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metrics");
	TCase *tc = tcase_create("metrics");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_empty_registry_is_an_empty_page);
	tcase_add_test(tc, families_and_series_are_grouped_and_in_order);
	tcase_add_test(tc, label_values_and_help_are_escaped);
	tcase_add_test(
		tc, the_same_series_is_the_same_object_in_any_order_of_labels);
	tcase_add_test(tc, an_observation_counts_in_its_bucket_and_all_above);
	tcase_add_test(tc, histograms_of_one_name_stay_apart);
	tcase_add_loop_test(tc,
			    a_gauge_that_is_read_shows_the_value_of_that_moment,
			    0, sizeof(doubles) / sizeof(doubles[0]));
	tcase_add_test(tc, what_is_read_and_ends_in_total_is_a_counter);
	tcase_add_test(tc,
		       updates_of_many_threads_all_count_while_pages_are_made);
	tcase_add_test(tc, the_process_tells_of_itself);
	tcase_add_loop_test_raise_signal(
		tc, what_no_scraper_would_take_stops_the_process, SIGABRT, 0,
		sizeof(bugs) / sizeof(bugs[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
