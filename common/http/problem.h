/* Errors as RFC 9457 writes them. */
#ifndef RESCIND_HTTP_PROBLEM_H
#define RESCIND_HTTP_PROBLEM_H

#include <stddef.h>

#define HTTP_PROBLEM_TYPE "application/problem+json"

struct http_problem {
	int status;
	const char *title;
	const char *detail;
	const char *instance;	/* the path asked for, as it came */
	const char *request_id; /* "" when not known */
	const char *code;	/* canonical name of the status code */
};

/* The JSON text, for the caller to free. Never NULL. */
char *http_problem_text(const struct http_problem *problem, size_t *ret_size);

#endif
