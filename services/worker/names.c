#include "worker/names.h"

enum status_code name_check(const char *field, const char *name,
			    struct status *reterr)
{
	if (twopc_name_is_valid(name)) {
		return STATUS_OK;
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT,
			  "%s must be 1 to %d printable ASCII characters",
			  field, TWOPC_NAME_SIZE_MAX);
}

enum status_code name_check_optional(const char *field, const char *name,
				     struct status *reterr)
{
	return name[0] == '\0' ? STATUS_OK : name_check(field, name, reterr);
}

Worker__Verdict verdict_to_wire(enum twopc_verdict verdict)
{
	static const Worker__Verdict wire[TWOPC_VERDICT_NR] = {
		[TWOPC_VERDICT_FAILED] = WORKER__VERDICT__FAILED,
		[TWOPC_VERDICT_UNKNOWN] = WORKER__VERDICT__UNKNOWN,
		[TWOPC_VERDICT_PREPARED] = WORKER__VERDICT__PREPARED,
		[TWOPC_VERDICT_COMMITTED] = WORKER__VERDICT__COMMITTED,
		[TWOPC_VERDICT_ROLLED_BACK] = WORKER__VERDICT__ROLLED_BACK,
	};

	return wire[verdict];
}

Worker__Verdict verdict_of_row(enum twopc_row row)
{
	static const Worker__Verdict wire[TWOPC_ROW_NR] = {
		[TWOPC_ROW_NONE] = WORKER__VERDICT__UNKNOWN,
		[TWOPC_ROW_PREPARED] = WORKER__VERDICT__PREPARED,
		[TWOPC_ROW_COMMITTED] = WORKER__VERDICT__COMMITTED,
		[TWOPC_ROW_ROLLED_BACK] = WORKER__VERDICT__ROLLED_BACK,
	};

	return (unsigned)row < TWOPC_ROW_NR
		       ? wire[row]
		       : WORKER__VERDICT__VERDICT_UNSPECIFIED;
}
