/*
 * One vocabulary for outcomes: the sixteen gRPC codes and a message.
 *
 * A fallible function returns a status_code and takes, last, a `struct status`
 * that it fills only when it fails. On its way up each layer prefixes what it
 * was doing, so that the message reads from the outside in:
 *
 *	enum status_code store_open(struct store *s, struct status *reterr)
 *	{
 *		if (db_open(&s->db, path, reterr) != STATUS_OK) {
 *			return status_wrap(reterr, "open store '%s'", path);
 *		}
 *		return STATUS_OK;
 *	}
 *
 * A status is a plain value: it owns nothing, is copied by assignment and
 * needs no release. A message that does not fit is cut at a UTF-8 boundary and
 * ends in "...".
 *
 * Thread-safety: a struct status belongs to one thread at a time.
 * Source of codes and names: gRPC status codes (grpc/doc/statuscodes.md).
 */
#ifndef RESCIND_STATUS_H
#define RESCIND_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define MUSTCHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_index, first_arg)                                      \
	__attribute__((format(printf, fmt_index, first_arg)))

/* X(symbol, number, canonical upper-case name, Go-style name, HTTP status). */
#define STATUS_CODES(X)                                                        \
	X(OK, 0, "OK", "OK", 200)                                              \
	X(CANCELLED, 1, "CANCELLED", "Canceled", 499)                          \
	X(UNKNOWN, 2, "UNKNOWN", "Unknown", 500)                               \
	X(INVALID_ARGUMENT, 3, "INVALID_ARGUMENT", "InvalidArgument", 400)     \
	X(DEADLINE_EXCEEDED, 4, "DEADLINE_EXCEEDED", "DeadlineExceeded", 504)  \
	X(NOT_FOUND, 5, "NOT_FOUND", "NotFound", 404)                          \
	X(ALREADY_EXISTS, 6, "ALREADY_EXISTS", "AlreadyExists", 409)           \
	X(PERMISSION_DENIED, 7, "PERMISSION_DENIED", "PermissionDenied", 403)  \
	X(RESOURCE_EXHAUSTED, 8, "RESOURCE_EXHAUSTED", "ResourceExhausted",    \
	  503)                                                                 \
	X(FAILED_PRECONDITION, 9, "FAILED_PRECONDITION", "FailedPrecondition", \
	  409)                                                                 \
	X(ABORTED, 10, "ABORTED", "Aborted", 409)                              \
	X(OUT_OF_RANGE, 11, "OUT_OF_RANGE", "OutOfRange", 400)                 \
	X(UNIMPLEMENTED, 12, "UNIMPLEMENTED", "Unimplemented", 501)            \
	X(INTERNAL, 13, "INTERNAL", "Internal", 500)                           \
	X(UNAVAILABLE, 14, "UNAVAILABLE", "Unavailable", 503)                  \
	X(DATA_LOSS, 15, "DATA_LOSS", "DataLoss", 500)                         \
	X(UNAUTHENTICATED, 16, "UNAUTHENTICATED", "Unauthenticated", 401)

enum status_code {
#define STATUS_ENUM(symbol, number, name, go_name, http)                       \
	STATUS_##symbol = number,
	STATUS_CODES(STATUS_ENUM)
#undef STATUS_ENUM
};
enum { STATUS_CODE_NR = 17 };

enum { STATUS_MESSAGE_SIZE = 508 };

struct status {
	enum status_code code;
	char message[STATUS_MESSAGE_SIZE]; /* NUL-terminated UTF-8 */
};

/* A status that says yes. */
static inline struct status status_ok(void)
{
	struct status st;
	st.code = STATUS_OK;
	st.message[0] = '\0';
	return st;
}

/*
 * Fill @st and return @code, so that a caller can write
 * `return status_set(reterr, STATUS_NOT_FOUND, "no order '%s'", id);`.
 * @st may be NULL when the caller wants only the code.
 */
enum status_code status_set(struct status *st, enum status_code code,
			    const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The same with a va_list. */
enum status_code status_vset(struct status *st, enum status_code code,
			     const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

/* As status_set(), with ": " and the text of errno value @err appended. */
enum status_code status_set_errno(struct status *st, enum status_code code,
				  int err, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Prefix the message with the formatted text and ": "; returns st->code. */
enum status_code status_wrap(struct status *st, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* Build a status as a value. */
struct status status_make(enum status_code code, const char *fmt, ...)
	PRINTF_LIKE(2, 3);

/* "DEADLINE_EXCEEDED"; "UNKNOWN" for a number outside the list. */
const char *status_code_name(enum status_code code);

/* "DeadlineExceeded", as grpc-go prints it. */
const char *status_code_go_name(enum status_code code);

/* The HTTP status to answer with: CANCELLED 499, DEADLINE_EXCEEDED 504, ... */
int status_http(enum status_code code);

#endif
