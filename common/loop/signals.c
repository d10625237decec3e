/* Signals, read from a signalfd on the loop thread. */
#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "loop/bug.h"
#include "loop/impl.h"

enum { SIGNALS_READ_MAX = 8 };

void loop_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A write that can't be done is an error to handle, not an end. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static void deliver(struct loop *loop, int signo)
{
	for (struct loop_signal *s = loop->signals; s != NULL; s = s->next) {
		if (s->signo == signo) {
			s->fn(s, signo);
		}
	}
}

static void on_readable(struct loop_watch *watch, uint32_t epoll_events)
{
	struct loop *loop =
		(struct loop *)((char *)watch - offsetof(struct loop, signal));
	struct signalfd_siginfo infos[SIGNALS_READ_MAX];
	ssize_t size = read(watch->fd, infos, sizeof(infos));

	(void)epoll_events;
	/* EAGAIN: another thread has taken it with sigwait(); ours to ignore.
	 */
	for (ssize_t i = 0; i < size / (ssize_t)sizeof(infos[0]); i++) {
		deliver(loop, (int)infos[i].ssi_signo);
	}
}

enum status_code loop_signals_open(struct loop *loop, struct status *reterr)
{
	sigemptyset(&loop->signal_set);
	loop->signal.fn = on_readable;
	loop->signal.fd =
		signalfd(-1, &loop->signal_set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (loop->signal.fd < 0) {
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED,
					errno, "create signalfd");
	}
	return loop_watch_add(loop, &loop->signal, EPOLLIN, reterr);
}

/* A signal that is not blocked would end the process instead of reaching us. */
static bool is_blocked(int signo)
{
	sigset_t blocked;

	return pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 &&
	       sigismember(&blocked, signo) == 1;
}

enum status_code loop_signal_add(struct loop *loop, struct loop_signal *signal,
				 struct status *reterr)
{
	loop_check_thread(loop);
	if (!is_blocked(signal->signo)) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "signal %d is not blocked", signal->signo);
	}
	sigaddset(&loop->signal_set, signal->signo);
	if (signalfd(loop->signal.fd, &loop->signal_set, 0) < 0) {
		return status_set_errno(reterr, STATUS_INTERNAL, errno,
					"add signal %d", signal->signo);
	}
	signal->next = loop->signals;
	loop->signals = signal;
	return STATUS_OK;
}
