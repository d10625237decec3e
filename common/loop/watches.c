/* Watched descriptors. */
#include <errno.h>

#include "loop/impl.h"

static enum status_code control(struct loop *loop, int op,
				struct loop_watch *watch, uint32_t epoll_events,
				struct status *reterr)
{
	struct epoll_event event = { .events = epoll_events,
				     .data = { .ptr = watch } };

	loop_check_thread(loop);
	if (epoll_ctl(loop->epoll_fd, op, watch->fd, &event) != 0) {
		return status_set_errno(reterr,
					errno == ENOMEM || errno == ENOSPC
						? STATUS_RESOURCE_EXHAUSTED
						: STATUS_INTERNAL,
					errno, "watch descriptor %d",
					watch->fd);
	}
	return STATUS_OK;
}

enum status_code loop_watch_add(struct loop *loop, struct loop_watch *watch,
				uint32_t epoll_events, struct status *reterr)
{
	return control(loop, EPOLL_CTL_ADD, watch, epoll_events, reterr);
}

enum status_code loop_watch_change(struct loop *loop, struct loop_watch *watch,
				   uint32_t epoll_events, struct status *reterr)
{
	return control(loop, EPOLL_CTL_MOD, watch, epoll_events, reterr);
}

void loop_watch_remove(struct loop *loop, struct loop_watch *watch)
{
	/* ENOENT and EBADF leave nothing to undo: it is not watched. */
	(void)control(loop, EPOLL_CTL_DEL, watch, 0, NULL);
	for (int i = loop->event_next; i < loop->event_nr; i++) {
		if (loop->events[i].data.ptr == watch) {
			loop->events[i].data.ptr = NULL;
		}
	}
}
