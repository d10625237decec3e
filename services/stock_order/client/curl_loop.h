/*
 * libcurl's transfers on the loop's thread, one at a time: its sockets are
 * watched, its timer is a timer, and nothing waits.
 *
 *	curl_loop_new(loop, &curl, reterr);
 *	curl_loop_start(curl, easy, on_done, self);
 *	...
 *	curl_loop_cancel(curl);		// or on_done comes
 *
 * Threads: the loop's. Names are looked up by libcurl on threads of its own;
 * with CURLOPT_QUICK_EXIT a cancelled transfer does not wait for those.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_CURL_LOOP_H
#define RESCIND_STOCK_ORDER_CLIENT_CURL_LOOP_H

#include <curl/curl.h>

#include "loop/loop.h"

struct curl_loop;

/* INTERNAL when libcurl can't be had. */
MUSTCHECK enum status_code curl_loop_new(struct loop *loop,
					 struct curl_loop **ret_curl,
					 struct status *reterr);
/* No transfer may be under way. Closes idle connections. NULL is fine. */
void curl_loop_free(struct curl_loop *curl);

typedef void (*curl_done_fn)(CURLcode result, void *arg);

/* Start what @easy describes. @done comes once, not inside this function;
 * @easy may be started again inside it. */
void curl_loop_start(struct curl_loop *curl, CURL *easy, curl_done_fn done,
		     void *arg);
/* Cut it off there and then: @done does not come any more. Not inside a
 * callback that libcurl calls. */
void curl_loop_cancel(struct curl_loop *curl);

#endif
