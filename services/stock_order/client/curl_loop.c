#include "stock_order/client/curl_loop.h"

#include <stdlib.h>
#include <sys/epoll.h>

#include "loop/bug.h"

struct curl_loop {
	struct loop *loop;
	CURLM *multi;
	struct loop_timer timer;
	/* One transfer at a time. */
	CURL *easy;
	curl_done_fn done;
	void *arg;
};

/* A socket of libcurl's. */
struct curl_socket {
	struct curl_loop *curl;
	struct loop_watch watch;
};

/* ---- what has ended ----------------------------------------------------- */

static void finish(struct curl_loop *curl, CURLcode result)
{
	curl_multi_remove_handle(curl->multi, curl->easy);
	curl->easy = NULL;
	curl->done(result, curl->arg);
}

static void look_for_end(struct curl_loop *curl)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
		if (message->msg == CURLMSG_DONE) {
			finish(curl, message->data.result);
			return;
		}
	}
}

static void act(struct curl_loop *curl, curl_socket_t fd, int events)
{
	int running;

	(void)curl_multi_socket_action(curl->multi, fd, events, &running);
	look_for_end(curl);
}

/* ---- what libcurl wants to be told of ------------------------------------ */

static void on_time(struct loop_timer *timer, int64_t late_ns)
{
	struct curl_loop *curl =
		(struct curl_loop *)((char *)timer -
				     offsetof(struct curl_loop, timer));

	(void)late_ns;
	act(curl, CURL_SOCKET_TIMEOUT, 0);
}

/* Called inside libcurl, so that it must not be called back. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct curl_loop *curl = arg;

	(void)multi;
	(void)loop_timer_stop(curl->loop, &curl->timer);
	if (timeout_ms >= 0) {
		loop_timer_start(curl->loop, &curl->timer,
				 clock_add_ns(clock_now_ns(),
					      (int64_t)timeout_ms * NS_PER_MS));
	}
	return 0;
}

/* The socket may be gone when libcurl returns. */
static void on_socket(struct loop_watch *watch, uint32_t epoll_events)
{
	struct curl_socket *socket =
		(struct curl_socket *)((char *)watch -
				       offsetof(struct curl_socket, watch));
	int events = 0;

	if ((epoll_events & (EPOLLIN | EPOLLHUP)) != 0) {
		events |= CURL_CSELECT_IN;
	}
	if ((epoll_events & EPOLLOUT) != 0) {
		events |= CURL_CSELECT_OUT;
	}
	if ((epoll_events & EPOLLERR) != 0) {
		events |= CURL_CSELECT_ERR;
	}
	act(socket->curl, watch->fd, events);
}

static void forget(struct curl_loop *curl, struct curl_socket *socket)
{
	if (socket != NULL) {
		loop_watch_remove(curl->loop, &socket->watch);
		curl_multi_assign(curl->multi, socket->watch.fd, NULL);
		free(socket);
	}
}

static enum status_code watch(struct curl_loop *curl, curl_socket_t fd,
			      struct curl_socket *known, uint32_t epoll_events)
{
	struct curl_socket *socket = known;
	struct status status;

	if (socket != NULL) {
		return loop_watch_change(curl->loop, &socket->watch,
					 epoll_events, &status);
	}
	socket = malloc(sizeof(*socket));
	BUG_IF(socket == NULL, "out of memory for a socket");
	*socket = (struct curl_socket){ curl, { on_socket, fd } };
	if (loop_watch_add(curl->loop, &socket->watch, epoll_events, &status) !=
	    STATUS_OK) {
		free(socket);
		return status.code;
	}
	curl_multi_assign(curl->multi, fd, socket);
	return STATUS_OK;
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
		      void *known)
{
	struct curl_loop *curl = arg;
	uint32_t epoll_events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		forget(curl, known);
		return 0;
	}
	epoll_events |= (what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U;
	epoll_events |= (what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U;
	/* -1 makes libcurl fail the transfer. */
	return watch(curl, fd, known, epoll_events) == STATUS_OK ? 0 : -1;
}

/* ---- from outside ------------------------------------------------------- */

enum status_code curl_loop_new(struct loop *loop, struct curl_loop **ret_curl,
			       struct status *reterr)
{
	struct curl_loop *curl;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		return status_set(reterr, STATUS_INTERNAL,
				  "libcurl can't be used");
	}
	curl = calloc(1, sizeof(*curl));
	BUG_IF(curl == NULL, "out of memory for transfers");
	curl->loop = loop;
	curl->timer.fn = on_time;
	curl->multi = curl_multi_init();
	BUG_IF(curl->multi == NULL, "out of memory for transfers");
	curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
	curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
	*ret_curl = curl;
	return STATUS_OK;
}

void curl_loop_free(struct curl_loop *curl)
{
	if (curl == NULL) {
		return;
	}
	BUG_IF(curl->easy != NULL, "a transfer is under way");
	curl_multi_cleanup(curl->multi);
	(void)loop_timer_stop(curl->loop, &curl->timer);
	free(curl);
	curl_global_cleanup();
}

void curl_loop_start(struct curl_loop *curl, CURL *easy, curl_done_fn done,
		     void *arg)
{
	BUG_IF(curl->easy != NULL, "a transfer is under way");
	curl->easy = easy;
	curl->done = done;
	curl->arg = arg;
	/* Fails for handles that are none. It begins by its timer. */
	BUG_IF(curl_multi_add_handle(curl->multi, easy) != CURLM_OK,
	       "no transfer to start");
}

void curl_loop_cancel(struct curl_loop *curl)
{
	if (curl->easy != NULL) {
		curl_multi_remove_handle(curl->multi, curl->easy);
		curl->easy = NULL;
	}
}
