#include "harness/stock_client.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS = 200 };

/* ---- running them ---------------------------------------------------------
 */

const char *const client_programs[CLIENTS] = { "stock_client",
					       "stock_client_grpc" };
const char *const client_flags[CLIENTS] = { "-url", "-target" };

const char *client_address(const struct stock *stock, int client)
{
	static _Thread_local char url[64];

	if (client == GRPC) {
		return stock->grpc;
	}
	snprintf(url, sizeof(url), "http://localhost:%d", stock->http_port);
	return url;
}

void await_in_flight(const struct stock *stock, int n)
{
	UNTIL(http_metric(stock->http_port,
			  "rescind_in_flight{service=\"stock_demo_3\"}") == n);
}

void let_others_be_served(const struct stock *stock)
{
	for (int i = 0; i < OTHERS; i++) {
		ck_assert_int_eq(http_status_of(stock->http_port, "/health"),
				 200);
	}
}

/* ---- what they say --------------------------------------------------------
 */

void expect_code(const struct outcome *outcome, int code)
{
	ck_assert_msg(outcome->code == code, "exit code %d: %s", outcome->code,
		      outcome->text);
}

void expect_text(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "lacks '%s': %s", part, text);
}

void expect_plain(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		ck_assert_msg(*at == '\n' || (unsigned char)*at >= 0x20,
			      "control character %d in: %s", *at, text);
	}
}

void expect_summary(const char *text, const char *counts)
{
	char line[256];
	const char *found;

	snprintf(line, sizeof(line), "%s\nlatency ", counts);
	found = strstr(text, line);
	ck_assert_msg(found != NULL && (found == text || found[-1] == '\n'),
		      "not '%s': %s", counts, text);
}

struct stored {
	const char *db;
	int n;
};

/* "<n> accepted <time> <id>" */
static void look_up(const char *line, size_t size, void *arg)
{
	struct stored *stored = arg;
	char id[64];

	if (memmem(line, size, " accepted ", 10) != NULL &&
	    sscanf(line, "%*d accepted %*s %36s", id) == 1) {
		ck_assert_int_eq(
			rows_with(stored->db, "stock_orders", "id", id), 1);
		stored->n++;
	}
}

int expect_stored(struct process *process, const char *db)
{
	struct stored stored = { db, 0 };

	process_each_line(process, look_up, &stored);
	return stored.n;
}

/* ---- where it goes --------------------------------------------------------
 */

const char *file_read(const char *path)
{
	static char text[1 << 20];
	FILE *file = fopen(path, "r");
	size_t size;

	ck_assert_ptr_nonnull(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

int stuck_pipe(char ret_path[PATH_SIZE], const char *dir)
{
	int fd;

	ck_assert_int_eq(mkfifo(scratch_path(ret_path, dir, "pipe"), 0600), 0);
	fd = open(ret_path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	return fd;
}

bool pipe_is_full(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 0;
}
