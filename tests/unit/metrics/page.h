/*
 * A strict reader of the Prometheus text format 0.0.4, for tests: what a
 * scraper would refuse or promtool would complain about, fails.
 */
#ifndef TEST_METRICS_PAGE_H
#define TEST_METRICS_PAGE_H

/* Fails the test with the line and what is wrong with it. */
void page_check(const char *page);

/* The value of the line that begins with @series ("name" or "name{...}"). */
double page_value(const char *page, const char *series);

#endif
