/* A message with fields of every kind: what passes the gate unpacks. */
#include "fuzz.h"
#include "rpc/validate.h"
#include "shapes.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Shapes__Tree *tree;
	struct status st;

	if (!rpc_validate(&shapes__tree__descriptor, data, size, &st)) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(st.message[0] != '\0');
		return 0;
	}
	tree = shapes__tree__unpack(NULL, size, data);
	MUST(tree != NULL);
	shapes__tree__free_unpacked(tree, NULL);
	return 0;
}
