/*
 * What every repository of orders has to do. Each implementation runs the whole
 * suite.
 */
#ifndef RESCIND_TEST_STOCK_ORDER_REPOSITORY_SUITE_H
#define RESCIND_TEST_STOCK_ORDER_REPOSITORY_SUITE_H

#include <check.h>

#include "scene.h"

/* How the suite comes by a repository. */
struct repository_maker {
	/* Empty the first time, later with what was there at the close. */
	struct order_repository *(*open)(void);
	void (*close)(void);
	/* Remove all traces; it is closed. */
	void (*remove)(void);
	/* What is in it outlives a close. */
	bool durable;
};

/* Add the tests to @suite; @maker must stay. */
void repository_suite_add(Suite *suite, const struct repository_maker *maker);

/* Inside a test of either: the scene, the repository, and calls that wait. */
extern struct scene scene;
extern struct order_repository *repository;
extern struct answer answer;

enum status_code create(const struct order *order, const char *key);
enum status_code get(const char *id);
enum status_code change(const char *id, order_rule_fn rule);
enum status_code page(const struct order_cursor *after, size_t limit);
enum status_code due(int64_t after_us, size_t limit);
struct order_cursor cursor_of(const struct order *order);
/* Rules. */
enum status_code cancel_it(struct order *order, void *arg,
			   struct status *reterr);
enum status_code fill_it(struct order *order, void *arg, struct status *reterr);

#endif
