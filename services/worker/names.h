/*
 * Checks that several methods make of what came: each names the field in its
 * INVALID_ARGUMENT. And what both sides call the same things.
 */
#ifndef RESCIND_WORKER_NAMES_H
#define RESCIND_WORKER_NAMES_H

#include "twopc/rule.h"
#include "worker.pb-c.h"

/* @field holds the name of a coordinator or a transaction. */
MUSTCHECK enum status_code name_check(const char *field, const char *name,
				      struct status *reterr);
/* The same, or nothing. */
MUSTCHECK enum status_code
name_check_optional(const char *field, const char *name, struct status *reterr);

Worker__Verdict verdict_to_wire(enum twopc_verdict verdict);
Worker__Verdict verdict_of_row(enum twopc_row row);

#endif
