#include "harness/wreck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool chance(int one_in)
{
	return rand() % one_in == 0;
}

static bool is_alive(struct site_program *program)
{
	return process_is_alive(program->process);
}

/* ---- lives --------------------------------------------------------------- */

void wreck_init(struct wreck *wreck, const struct wreck_options *options)
{
	static const char *const metrics[] = { "-metrics-port", "0", NULL };
	const struct site_options site = {
		.forgets = options->disks == WRECK_FORGETS,
		.worker_flags = metrics,
	};

	memset(wreck, 0, sizeof(*wreck));
	wreck->begun_ms = now_ms();
	wreck->disks = options->disks;
	wreck->seed = site_seed();
	printf("seed=%u\n", wreck->seed);
	fflush(stdout);
	site_init(&wreck->site, &site);
	crowd_init(&wreck->crowd, &wreck->site.pair, &options->manners,
		   (unsigned)rand());
	site_start(&wreck->site);
}

struct site_program *wreck_other(struct wreck *wreck,
				 const struct site_program *program)
{
	return program == &wreck->site.echo ? &wreck->site.worker
					    : &wreck->site.echo;
}

void wreck_launch(struct wreck *wreck, struct site_program *program,
		  const char *orders)
{
	struct faults *faults = &program->faults;
	bool forgets = wreck->disks == WRECK_FORGETS ||
		       (wreck->disks == WRECK_FORGETS_BY_CHANCE && chance(2));

	(void)faults_passes(faults, faults->points[0].name);
	crowd_hear(&wreck->crowd, program->process);
	if (forgets) {
		faults_forget(faults, (uint64_t)rand());
	} else {
		faults_remember(faults);
	}
	site_launch(&wreck->site, program, orders);
}

void wreck_count_death(struct wreck *wreck, const struct site_program *program)
{
	wreck->kills++;
	wreck->power_cuts += faults_forgets(&program->faults);
}

void wreck_kill(struct wreck *wreck, struct site_program *program)
{
	if (is_alive(program)) {
		process_signal(program->process, SIGKILL);
	}
	ck_assert_int_eq(process_wait(program->process), 128 + SIGKILL);
	wreck_count_death(wreck, program);
}

void wreck_order(struct site_program *program, const char *point,
		 const char *order, unsigned nth)
{
	char text[64];

	snprintf(text, sizeof(text), "%s@%u", order, nth);
	faults_order(&program->faults, point, text);
}

/* By what it was told, or for its disk's sake: never of its own accord. */
static void expect_known_end(struct wreck *wreck, struct site_program *program)
{
	int code = process_wait(program->process);

	ck_assert_msg(code == 0 || code == 128 + SIGKILL ||
			      code == WRECK_EXIT_SYNC_FAILED ||
			      (code == 1 && wreck->may_fail_to_start),
		      "%s has ended with %d:\n%s", program->name, code,
		      process_tail(program->process));
}

static void start_dead(struct wreck *wreck, struct site_program *program)
{
	if (!is_alive(program)) {
		expect_known_end(wreck, program);
		wreck_launch(wreck, program, NULL);
	}
}

void wreck_await_up(struct wreck *wreck)
{
	process_await(wreck->site.worker.process, "Ready", NULL);
	process_await(wreck->site.echo.process, "Ready", NULL);
	pair_await_ready(&wreck->site.pair);
}

static void start_both(struct wreck *wreck)
{
	start_dead(wreck, &wreck->site.worker);
	start_dead(wreck, &wreck->site.echo);
	wreck_await_up(wreck);
}

/* ---- afterwards ---------------------------------------------------------- */

void wreck_recover(struct wreck *wreck)
{
	start_both(wreck);
	crowd_stop(&wreck->crowd);
	crowd_settle(&wreck->crowd);
}

static void end_both(struct wreck *wreck, bool in_order)
{
	struct process *processes[] = { &wreck->site.pair.echo,
					&wreck->site.pair.worker };

	for (int i = 0; i < 2; i++) {
		process_signal(processes[i], in_order ? SIGTERM : SIGKILL);
		ck_assert_int_eq(process_wait(processes[i]),
				 in_order ? 0 : 128 + SIGKILL);
	}
	crowd_expect_both_or_neither(&wreck->crowd);
	if (in_order) {
		crowd_expect_nothing_left(&wreck->crowd);
	}
	wreck->verified++;
}

void wreck_verify(struct wreck *wreck)
{
	end_both(wreck, chance(4));
	start_both(wreck);
}

void wreck_release(struct wreck *wreck)
{
	crowd_settle(&wreck->crowd);
	end_both(wreck, true);
	process_release(&wreck->site.pair.echo);
	process_release(&wreck->site.pair.worker);
	site_release(&wreck->site);
	crowd_release(&wreck->crowd);
}

const char *wreck_summary(struct wreck *wreck)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "kills=%u (power cuts: %u, both at once: %u) verified=%u %s "
		 "seconds=%.1f seed=%u violations=0",
		 wreck->kills, wreck->power_cuts, wreck->both, wreck->verified,
		 crowd_summary(&wreck->crowd),
		 (double)(now_ms() - wreck->begun_ms) / 1000, wreck->seed);
	return text;
}
