#include "harness/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void run(struct outcome *ret_outcome, const char *program,
	 const struct process_options *options, const char *const *arguments)
{
	struct process process;

	ck_assert_ptr_nonnull(program);
	process_start(&process, program, options, arguments);
	ret_outcome->code = process_wait(&process);
	snprintf(ret_outcome->text, sizeof(ret_outcome->text), "%s",
		 process.log != NULL ? process.log : "");
	process_release(&process);
}

size_t outcome_lines(const struct outcome *outcome)
{
	size_t lines = 0;

	for (const char *at = outcome->text; *at != '\0'; at++) {
		lines += *at == '\n';
	}
	return lines;
}

static const char *find_in_path(const char *name)
{
	static _Thread_local char path[PATH_SIZE];
	const char *list = getenv("PATH");
	const char *at = list != NULL ? list : "/usr/bin:/bin";

	while (*at != '\0') {
		size_t size = strcspn(at, ":");

		if (snprintf(path, sizeof(path), "%.*s/%s", (int)size, at,
			     name) < PATH_SIZE &&
		    access(path, X_OK) == 0) {
			return path;
		}
		at += size;
		at += *at == ':';
	}
	return NULL;
}

static const char *find_grpcurl(void)
{
	const char *named = getenv("GRPCURL");
	const char *found;

	if (named != NULL && access(named, X_OK) == 0) {
		return named;
	}
	found = find_in_path("grpcurl");
	if (found == NULL && access(RESCIND_TOOLS "/grpcurl", X_OK) == 0) {
		found = RESCIND_TOOLS "/grpcurl";
	}
	return found;
}

const char *tool_find(const char *name)
{
	const char *path = strcmp(name, "grpcurl") == 0 ? find_grpcurl()
							: find_in_path(name);

	if (path == NULL && is_ci()) {
		ck_abort_msg("CI lacks %s", name);
	}
	if (path == NULL) {
		fprintf(stderr, "%s is not there: skipped\n", name);
	}
	return path;
}
