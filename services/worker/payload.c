#include "worker/payload.h"

#include <stdlib.h>
#include <string.h>

#include "worker/work.h"

enum { VERSION = '1' };

void payload_make(struct payload *payload, const char *task_id,
		  const char *data)
{
	size_t id_size = strlen(task_id) + 1;
	size_t data_size = strlen(data) + 1;
	char *bytes = malloc(1 + id_size + data_size);

	if (bytes == NULL) {
		abort();
	}
	bytes[0] = VERSION;
	memcpy(bytes + 1, task_id, id_size);
	memcpy(bytes + 1 + id_size, data, data_size);
	payload->bytes = bytes;
	payload->size = id_size + data_size; /* without the last NUL */
}

void payload_release(struct payload *payload)
{
	free(payload->bytes);
	payload->bytes = NULL;
	payload->size = 0;
}

bool payload_read(const void *bytes, size_t size, struct payload_view *ret_view)
{
	const char *version = bytes;
	const char *task_id = version + 1;
	const char *end;

	if (size == 0 || *version != VERSION) {
		return false;
	}
	end = memchr(task_id, '\0', size - 1);
	if (end == NULL || end == task_id || end - task_id > TASK_ID_SIZE_MAX) {
		return false;
	}
	ret_view->task_id = task_id;
	ret_view->data = end + 1;
	ret_view->data_size = (size_t)(version + size - (end + 1));
	return true;
}
