#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "echo_client.h"
#include "text/instant.h"
#include "json/json.h"

enum { FIELDS_NR = 5 }; /* of a line of echo's */

struct shown {
	const struct config *config;
	struct json_writer json;
	size_t rows;
};

/* ---- the worker's ------------------------------------------------------- */

static const char worker_columns[] = "%-36s  %-42s  %-11s  %-24s  %s\n";

static const char *age_text(int64_t since_ms, char ret[DURATION_TEXT_SIZE])
{
	struct timespec now;
	int64_t seconds;

	clock_gettime(CLOCK_REALTIME, &now);
	seconds = (int64_t)now.tv_sec - since_ms / 1000;
	duration_format((seconds > 0 ? seconds : 0) * INT64_C(1000000000), ret,
			DURATION_TEXT_SIZE);
	return ret;
}

static bool show_row(const struct worker_transaction *t, void *arg)
{
	struct shown *shown = arg;
	char since[INSTANT_TEXT_SIZE];
	char age[DURATION_TEXT_SIZE];

	if (shown->rows++ == 0) {
		printf(worker_columns, "COORDINATOR", "TRANSACTION", "STATE",
		       "SINCE", "AGE");
	}
	printf(worker_columns, t->coordinator, t->id, t->state,
	       instant_format(t->changed_ms, since),
	       age_text(t->changed_ms, age));
	return true;
}

static bool put_row(const struct worker_transaction *t, void *arg)
{
	struct shown *shown = arg;
	char since[INSTANT_TEXT_SIZE];

	json_begin_object(&shown->json, NULL);
	json_put_string(&shown->json, "coordinator", t->coordinator);
	json_put_string(&shown->json, "transaction_id", t->id);
	json_put_string(&shown->json, "state", t->state);
	json_put_string(&shown->json, "since",
			instant_format(t->changed_ms, since));
	json_end(&shown->json);
	return true;
}

static enum status_code show_worker(struct worker_client *client,
				    struct shown *shown, struct status *reterr)
{
	const struct config *config = shown->config;

	if (worker_client_list(client, config->coordinator, !config->all,
			       config->json ? put_row : show_row, shown,
			       reterr) != STATUS_OK) {
		return status_wrap(reterr, "worker at %s", config->worker);
	}
	if (!config->json && shown->rows == 0) {
		printf("Nothing is in doubt at the worker at %s.\n",
		       config->worker);
	}
	return STATUS_OK;
}

/* ---- echo's ------------------------------------------------------------- */

static const char echo_columns[] = "%-42s  %-9s  %-24s  %-21s  %s\n";

static enum status_code get_page(const struct config *config, const char *after,
				 char **ret_body, struct status *reterr)
{
	char path[256];

	/* An id needs no encoding. */
	snprintf(path, sizeof(path),
		 "/transactions?format=text&limit=1000&after=%s", after);
	return echo_client_get(config->echo, path, config->timeout_ns, ret_body,
			       reterr);
}

/* Cut @line at its tabs; false when it has not as many fields. */
static bool cut(char *line, char *fields[FIELDS_NR])
{
	for (int i = 0; i < FIELDS_NR; i++) {
		fields[i] = line;
		line = line != NULL ? strchr(line, '\t') : NULL;
		if (line != NULL) {
			*line++ = '\0';
		}
	}
	return fields[FIELDS_NR - 1] != NULL;
}

static void show_decision(struct shown *shown, char *fields[FIELDS_NR])
{
	static const char *const names[FIELDS_NR] = { "transaction_id",
						      "standing", "since",
						      "participant",
						      "request_id" };

	if (!shown->config->json) {
		if (shown->rows++ == 0) {
			printf(echo_columns, "TRANSACTION", "STANDING", "SINCE",
			       "PARTICIPANT", "REQUEST");
		}
		printf(echo_columns, fields[0], fields[1], fields[2], fields[3],
		       fields[4]);
		return;
	}
	json_begin_object(&shown->json, NULL);
	for (int i = 0; i < FIELDS_NR; i++) {
		json_put_string(&shown->json, names[i], fields[i]);
	}
	json_end(&shown->json);
}

/* The lines of a page; where the next begins is in @next, "" for the end. */
static void show_page(struct shown *shown, char *body, char *next, size_t size)
{
	static const char mark[] = "next\t";
	char *fields[FIELDS_NR];
	char *save = NULL;

	next[0] = '\0';
	for (char *line = strtok_r(body, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, mark, strlen(mark)) == 0) {
			snprintf(next, size, "%s", line + strlen(mark));
		} else if (cut(line, fields)) {
			show_decision(shown, fields);
		}
	}
}

static enum status_code show_echo(struct shown *shown, struct status *reterr)
{
	char after[128] = "";

	shown->rows = 0;
	do {
		char *body;

		if (get_page(shown->config, after, &body, reterr) !=
		    STATUS_OK) {
			return status_wrap(reterr, "echo");
		}
		show_page(shown, body, after, sizeof(after));
		free(body);
	} while (after[0] != '\0');
	if (!shown->config->json && shown->rows == 0) {
		printf("Nothing is in doubt at the echo at %s.\n",
		       shown->config->echo);
	}
	return STATUS_OK;
}

/* ---- both --------------------------------------------------------------- */

static enum status_code show_tables(struct worker_client *client,
				    struct shown *shown, struct status *reterr)
{
	if (show_worker(client, shown, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (shown->config->echo == NULL) {
		return STATUS_OK;
	}
	putchar('\n');
	return show_echo(shown, reterr);
}

static enum status_code show_json(struct worker_client *client,
				  struct shown *shown, struct status *reterr)
{
	json_begin_object(&shown->json, NULL);
	json_begin_array(&shown->json, "worker");
	if (show_worker(client, shown, reterr) != STATUS_OK) {
		return reterr->code;
	}
	json_end(&shown->json);
	if (shown->config->echo != NULL) {
		json_begin_array(&shown->json, "echo");
		if (show_echo(shown, reterr) != STATUS_OK) {
			return reterr->code;
		}
		json_end(&shown->json);
	}
	json_end(&shown->json);
	json_newline(&shown->json);
	fwrite(shown->json.text, 1, shown->json.size, stdout);
	return STATUS_OK;
}

enum status_code show_all(struct worker_client *client,
			  const struct config *config, struct status *reterr)
{
	struct shown shown = { .config = config };
	enum status_code code = config->json
					? show_json(client, &shown, reterr)
					: show_tables(client, &shown, reterr);

	json_writer_release(&shown.json);
	if (code == STATUS_OK && fflush(stdout) != 0) {
		return status_set(reterr, STATUS_UNAVAILABLE,
				  "the output could not be written");
	}
	return code;
}
