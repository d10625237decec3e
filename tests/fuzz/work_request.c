/* The bytes of a DoWork request: what passes the gate unpacks to its text. */
#include <string.h>

#include "fuzz.h"
#include "rpc/validate.h"
#include "rpc/wire.h"
#include "worker.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Worker__WorkRequest *request;
	struct wire_field field;
	struct status st;

	if (!rpc_validate(&worker__work_request__descriptor, data, size, &st)) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(strstr(st.message, "worker.WorkRequest") != NULL);
		return 0;
	}
	request = worker__work_request__unpack(NULL, size, data);
	MUST(request != NULL);
	/* Nothing was cut off: the last task_id sent is the one that we see. */
	if (wire_find(data, size, 1, WIRE_LEN, &field) == WIRE_FIELD) {
		MUST(strlen(request->task_id) == field.size);
		MUST(memcmp(request->task_id, field.data, field.size) == 0);
	} else {
		MUST(request->task_id[0] == '\0');
	}
	worker__work_request__free_unpacked(request, NULL);
	return 0;
}
