#include "stock_order/client/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "loop/bug.h"
#include "stock_order/client/exit_code.h"

static void on_signal(struct loop_signal *signal, int signo)
{
	struct interrupt *interrupt =
		((struct interrupt_signal *)signal)->interrupt;

	if (interrupt->signo != 0) {
		_exit(CLIENT_EXIT_SIGNAL + signo);
	}
	interrupt->signo = signo;
	interrupt->fn(interrupt->arg);
}

void interrupt_watch(struct interrupt *interrupt, struct loop *loop,
		     void (*fn)(void *arg), void *arg)
{
	static const int numbers[INTERRUPT_SIGNALS] = { SIGINT, SIGTERM,
							SIGHUP };
	struct status status;

	*interrupt = (struct interrupt){ .fn = fn, .arg = arg };
	for (size_t i = 0; i < INTERRUPT_SIGNALS; i++) {
		struct interrupt_signal *signal = &interrupt->signals[i];

		signal->interrupt = interrupt;
		signal->base.fn = on_signal;
		signal->base.signo = numbers[i];
		BUG_IF(loop_signal_add(loop, &signal->base, &status) !=
			       STATUS_OK,
		       "signals are not blocked");
	}
}

int interrupt_exit(const struct interrupt *interrupt, int code)
{
	return interrupt->signo != 0 ? CLIENT_EXIT_SIGNAL + interrupt->signo
				     : code;
}
