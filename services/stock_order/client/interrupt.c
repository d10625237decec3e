#include "stock_order/client/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "loop/bug.h"
#include "stock_order/client/exit_code.h"

static const int signal_numbers[INTERRUPT_SIGNALS] = { SIGINT, SIGTERM,
						       SIGHUP };

/* There is one for each number; which of them this is, is counted back. */
static struct interrupt *interrupt_of(struct loop_signal *signal)
{
	size_t i = 0;

	while (signal_numbers[i] != signal->signo) {
		i++;
	}
	return (struct interrupt *)((char *)(signal - i) -
				    offsetof(struct interrupt, signals));
}

static void on_signal(struct loop_signal *signal, int signo)
{
	struct interrupt *interrupt = interrupt_of(signal);

	if (interrupt->signo != 0) {
		_exit(CLIENT_EXIT_SIGNAL + signo);
	}
	interrupt->signo = signo;
	interrupt->fn(interrupt->arg);
}

void interrupt_watch(struct interrupt *interrupt, struct loop *loop,
		     void (*fn)(void *arg), void *arg)
{
	struct status status;

	*interrupt = (struct interrupt){ .fn = fn, .arg = arg };
	for (size_t i = 0; i < INTERRUPT_SIGNALS; i++) {
		struct loop_signal *signal = &interrupt->signals[i];

		signal->fn = on_signal;
		signal->signo = signal_numbers[i];
		BUG_IF(loop_signal_add(loop, signal, &status) != STATUS_OK,
		       "signals are not blocked");
	}
}

int interrupt_exit(const struct interrupt *interrupt, int code)
{
	return interrupt->signo != 0 ? CLIENT_EXIT_SIGNAL + interrupt->signo
				     : code;
}
