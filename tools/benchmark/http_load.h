/*
 * A closed-loop HTTP/1.1 load generator, on the calling thread: each connection
 * is kept alive and has one request under way, whose text carries an id that
 * none before had. It shares the machine with the servers it measures, so it
 * does little: a request's text is made once per connection and only its id
 * written anew; of a response just status, Content-Length, Connection and end
 * are looked at. A connection that the server wants closed is not made anew.
 */
#ifndef RESCIND_HTTP_LOAD_H
#define RESCIND_HTTP_LOAD_H

#include <stddef.h>
#include <stdint.h>

struct http_load {
	const char *target; /* "127.0.0.1:8080" */
	const char *path;   /* the first %s in it becomes the id */
	/* JSON to POST; NULL: GET. */
	const char *body;
	size_t connections;
	double warmup_s; /* not counted */
	double seconds;
	double patience_s; /* of a burst, for the last answer */
};

struct http_load_result {
	uint64_t count;	  /* answers with a status of 2xx */
	uint64_t errors;  /* the two below */
	uint64_t refused; /* other answers */
	uint64_t lost; /* requests whose connection ended without an answer */
	double per_s;  /* count by the time it took */
	double p50_us, p99_us, max_us;
	double all_s; /* a burst: from its first byte to its last answer */
};

/* Keep the connections busy for that long. 0, or -1 with errno set. */
int http_load_run(const struct http_load *load,
		  struct http_load_result *ret_result);
/* One request on each connection, all at once. What is not answered in
 * patience_s is an error. 0, or -1 with errno set. */
int http_load_burst(const struct http_load *load,
		    struct http_load_result *ret_result);

#endif
