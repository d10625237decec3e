/*
 * Command-line flags as Go's flag package has them: -name=value, -name value,
 * one or two dashes, -bool without a value; "--" ends them. Each flag is also
 * read from the environment (<PREFIX>_<NAME>, dashes as underscores, or a name
 * of its own): flag before environment before default.
 *
 *	static struct config c;
 *	const struct flag table[] = {
 *		FLAG_UINT("port", &c.port, "50051", 0, 65535,
 *			  "gRPC port; 0 picks a free one"),
 *		FLAG_DURATION("work", &c.work_ns, "3s", "a task's time"),
 *		FLAG_CHOICE("log-format", &c.log_format, "text",
 *			    LOG_FORMAT_NAMES, "how log lines look"),
 *		FLAG_END
 *	};
 *
 * -help (-h) prints the list with defaults and environment names to stdout;
 * -version prints the version. Errors name the flag, the value and what would
 * be right, in one line; an unknown flag is told with the nearest known one. A
 * value that came from the environment is named as such.
 *
 * As in Go: a bool takes its value only after "=" (-x=false), the last of
 * several wins, arguments are read up to the first error or -help. A variable
 * that is set but empty counts as not set; one that a flag overrides is not
 * looked at.
 */
#ifndef RESCIND_FLAGS_H
#define RESCIND_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "status/status.h"

enum flag_type {
	FLAG_TYPE_BOOL,	    /* bool */
	FLAG_TYPE_STRING,   /* const char *: points into argv, environment or
			       the default */
	FLAG_TYPE_UINT,	    /* uint64_t */
	FLAG_TYPE_DURATION, /* int64_t, nanoseconds */
	FLAG_TYPE_CHOICE,   /* int: index into choices */
};

struct flag {
	const char *name;
	enum flag_type type;
	void *value;
	const char *fallback;	    /* as it would be written */
	uint64_t min, max;	    /* UINT; DURATION in ns (max 0: no limit) */
	const char *const *choices; /* ends in NULL */
	const char *env;	    /* its variable; NULL for <PREFIX>_<NAME> */
	const char *help;
};

#define FLAG_BOOL(n, v, h)                                                     \
	{                                                                      \
		.name = (n), .type = FLAG_TYPE_BOOL, .value = (v),             \
		.fallback = "false", .help = (h)                               \
	}
#define FLAG_STRING(n, v, d, h)                                                \
	{                                                                      \
		.name = (n), .type = FLAG_TYPE_STRING, .value = (v),           \
		.fallback = (d), .help = (h)                                   \
	}
#define FLAG_UINT(n, v, d, lo, hi, h)                                          \
	{                                                                      \
		.name = (n), .type = FLAG_TYPE_UINT, .value = (v),             \
		.fallback = (d), .min = (lo), .max = (hi), .help = (h)         \
	}
/* One whose variable has a name of its own, such as PORT. */
#define FLAG_UINT_ENV(n, v, d, lo, hi, e, h)                                   \
	{                                                                      \
		.name = (n), .type = FLAG_TYPE_UINT, .value = (v),             \
		.fallback = (d), .min = (lo), .max = (hi), .env = (e),         \
		.help = (h)                                                    \
	}
#define FLAG_DURATION(n, v, d, h)                                              \
	{                                                                      \
		.name = (n), .type = FLAG_TYPE_DURATION, .value = (v),         \
		.fallback = (d), .help = (h)                                   \
	}
#define FLAG_CHOICE(n, v, d, c, h)                                             \
	{                                                                      \
		.name = (n), .type = FLAG_TYPE_CHOICE, .value = (v),           \
		.fallback = (d), .choices = (c), .help = (h)                   \
	}
#define FLAG_END                                                               \
	{                                                                      \
		.name = NULL                                                   \
	}

struct flags {
	const char *program;	/* "echo" */
	const char *summary;	/* one sentence for -help */
	const char *env_prefix; /* "ECHO" */
	const char *version;
	const struct flag *table;
};

enum flags_outcome {
	FLAGS_RUN,     /* go on */
	FLAGS_EXIT,    /* -help or -version was answered: exit 0 */
	FLAGS_INVALID, /* *reterr says what: exit 2 */
};

/*
 * Fills every value of the table. Positional arguments are an error. At most
 * FLAGS_MAX flags; a default that does not parse is a bug and stops the
 * process.
 */
enum { FLAGS_MAX = 64 };
MUSTCHECK enum flags_outcome flags_parse(const struct flags *flags, int argc,
					 char **argv, struct status *reterr);

/*
 * "500ms", "3s", "1m30s", "1.5h", "250us", "10ns", "0": nanoseconds, never
 * negative, what is finer than a nanosecond cut off. Units (h, m, s, ms, us or
 * "µs", ns) go from large to small, each at most once; no sign, no blanks.
 * INVALID_ARGUMENT says what is wrong, with @text made printable. Fuzzed.
 */
MUSTCHECK enum status_code duration_parse(const char *text, int64_t *ret_ns,
					  struct status *reterr);
/*
 * "1m30s", "500ms", "1.5s", "0s": exact, so that duration_parse() gives @ns
 * back. DURATION_TEXT_SIZE bytes always suffice; less cuts the text off.
 */
enum { DURATION_TEXT_SIZE = 40 };
void duration_format(int64_t ns, char *buf, size_t size);

#endif
