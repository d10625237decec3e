#include "http/problem.h"

#include <string.h>

#include "json/json.h"

enum { INSTANCE_MAX = 1024 };

/* A path made safe to stand as a URI reference; its size in @ret. */
static size_t escape_path(char ret[3 * INSTANCE_MAX], const char *path)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t size = 0;

	for (; *path != '\0'; path++) {
		unsigned char byte = (unsigned char)*path;

		if (byte <= 0x20 || byte >= 0x7F || byte == '"' ||
		    byte == '\\' || byte == '<' || byte == '>') {
			ret[size++] = '%';
			ret[size++] = digits[byte >> 4];
			ret[size++] = digits[byte & 15];
		} else {
			ret[size++] = (char)byte;
		}
	}
	return size;
}

static void put_instance(struct json_writer *json, const char *path)
{
	char text[3 * INSTANCE_MAX];

	if (strnlen(path, INSTANCE_MAX + 1) <= INSTANCE_MAX) {
		json_put_text(json, "instance", text, escape_path(text, path));
	}
}

char *http_problem_text(const struct http_problem *problem, size_t *ret_size)
{
	struct json_writer json = { 0 };

	json_begin_object(&json, NULL);
	json_put_string(&json, "type", "about:blank");
	json_put_string(&json, "title", problem->title);
	json_put_int(&json, "status", problem->status);
	json_put_string(&json, "detail", problem->detail);
	put_instance(&json, problem->instance);
	if (problem->request_id[0] != '\0') {
		json_put_string(&json, "request_id", problem->request_id);
	}
	json_put_string(&json, "code", problem->code);
	json_end(&json);
	json_newline(&json);
	return json_writer_take(&json, ret_size);
}
