#include "stock_order/client/client_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "flags/flags.h"
#include "stock_order/client/interrupt.h"
#include "stock_order/client/outlet.h"
#include "stock_order/client/run_text.h"

#define CLEAR_LINE "\r\033[K"

enum {
	COLUMNS_USUAL = 80,
	/* A progress line is for eyes. */
	REPAINT_NS = 50 * NS_PER_MS,
	/* Once told to stop, whoever reads our output has this long to do so.
	 */
	GRACE_S = 2,
};

struct screen {
	const char *program;
	struct loop *loop;
	bool terminal;
	int64_t painted_ns; /* when the progress line last was */
	bool owing;	    /* the run waits for order_run_reported() */
	bool ending;	    /* the summary has been put */
	struct order_run run;
	struct outlet out;
	struct interrupt interrupt;
	struct loop_timer grace;
};

/* ---- terminals ---------------------------------------------------------- */

/* One that can't move its cursor back is as good as a file. */
static bool is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term != NULL && strcmp(term, "") != 0 &&
	       strcmp(term, "dumb") != 0;
}

/* It may change at any time. The last column stays free: a full line wraps. */
static size_t columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
		return COLUMNS_USUAL - 1;
	}
	return size.ws_col - 1U;
}

static void paint(struct screen *screen)
{
	char line[RUN_LINE_SIZE] = CLEAR_LINE;
	size_t used = strlen(line);

	used += run_text_progress(&screen->run.tally, columns(), line + used,
				  sizeof(line) - used);
	outlet_put(&screen->out, line, used);
	screen->painted_ns = clock_now_ns();
}

static void say_start(const struct order_run_options *options,
		      const char *program, const char *target)
{
	const struct order_draft *draft = &options->draft;
	char interval[DURATION_TEXT_SIZE];

	duration_format(options->interval_ns, interval, sizeof(interval));
	fprintf(stderr, "%s: %s %s %s %lld to %s, one every %s; Ctrl-C ends\n",
		program, draft->symbol, order_type_name(draft->type),
		order_side_name(draft->side), (long long)draft->quantity,
		target, interval);
}

/* ---- what is told ------------------------------------------------------- */

/* Everything put so far is written, or nothing can be. */
static void on_drained(void *arg)
{
	struct screen *screen = arg;

	if (screen->ending) {
		loop_stop(screen->loop);
		return;
	}
	if (screen->out.failure.code != STATUS_OK) {
		order_run_stop(&screen->run);
	}
	if (screen->owing) {
		screen->owing = false;
		order_run_reported(&screen->run);
	}
}

static void go_on_when_drained(struct screen *screen)
{
	if (outlet_is_drained(&screen->out)) {
		on_drained(screen);
	}
}

static void tell_terminal(struct screen *screen, const char *line, size_t size,
			  bool stays)
{
	if (stays) {
		outlet_put(&screen->out, CLEAR_LINE, strlen(CLEAR_LINE));
		outlet_put(&screen->out, line, size);
		paint(screen);
	} else if (clock_now_ns() - screen->painted_ns >= REPAINT_NS) {
		paint(screen);
	}
}

static void on_outcome(const struct order_outcome *outcome, void *arg)
{
	struct screen *screen = arg;
	char line[RUN_LINE_SIZE];
	size_t size = run_text_outcome(outcome, line, sizeof(line));

	screen->owing = true;
	if (screen->terminal) {
		tell_terminal(screen, line, size,
			      outcome->status.code != STATUS_OK);
	} else {
		outlet_put(&screen->out, line, size);
	}
	go_on_when_drained(screen);
}

static void on_over(void *arg)
{
	struct screen *screen = arg;
	char text[RUN_SUMMARY_SIZE];
	size_t size = run_text_summary(&screen->run.tally, text, sizeof(text));

	if (screen->terminal) {
		outlet_put(&screen->out, CLEAR_LINE, strlen(CLEAR_LINE));
	}
	outlet_put(&screen->out, text, size);
	screen->ending = true;
	go_on_when_drained(screen);
}

/* What is waited for is only ever the reader: a cancelled order ends at once.
 */
static void on_grace_over(struct loop_timer *timer, int64_t late_ns)
{
	struct screen *screen =
		(struct screen *)((char *)timer -
				  offsetof(struct screen, grace));

	(void)late_ns;
	fprintf(stderr, "%s: nobody reads the output\n", screen->program);
	_exit(interrupt_exit(&screen->interrupt, CLIENT_EXIT_FAILED));
}

static void on_interrupt(void *arg)
{
	struct screen *screen = arg;

	screen->grace.fn = on_grace_over;
	loop_timer_start(screen->loop, &screen->grace,
			 clock_now_ns() + (int64_t)GRACE_S * NS_PER_S);
	order_run_stop(&screen->run);
}

/* ---- all of it ---------------------------------------------------------- */

int client_run(const struct order_run_options *options, const char *program,
	       const char *target)
{
	struct order_run_options told = *options;
	struct screen screen = {
		.program = program,
		.loop = options->loop,
		.terminal = is_terminal(STDOUT_FILENO),
	};
	int code;

	told.on_outcome = on_outcome;
	told.on_over = on_over;
	told.arg = &screen;
	outlet_open(&screen.out, options->loop, STDOUT_FILENO, on_drained,
		    &screen);
	interrupt_watch(&screen.interrupt, options->loop, on_interrupt,
			&screen);
	if (screen.terminal) {
		say_start(options, program, target);
		paint(&screen);
		screen.painted_ns = 0; /* the first outcome shows at once */
	}
	order_run_start(&screen.run, &told);
	loop_run(options->loop);
	(void)loop_timer_stop(options->loop, &screen.grace);
	code = (int)tally_exit(&screen.run.tally);
	if (screen.out.failure.code != STATUS_OK) {
		fprintf(stderr, "%s: %s\n", program,
			screen.out.failure.message);
		code = CLIENT_EXIT_FAILED;
	}
	outlet_close(&screen.out);
	return code;
}
