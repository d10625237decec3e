#include "lifecycle/descriptors.h"

#include <errno.h>
#include <stdint.h>
#include <sys/resource.h>

static size_t as_size(rlim_t value)
{
	return value > SIZE_MAX ? SIZE_MAX : (size_t)value;
}

enum status_code descriptors_raise(size_t *ret_limit, struct status *reterr)
{
	struct rlimit limit;
	rlim_t soft;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return status_set_errno(reterr, STATUS_INTERNAL, errno,
					"read the limit of descriptors");
	}
	soft = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (soft != limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		int err = errno;

		if (ret_limit != NULL) {
			*ret_limit = as_size(soft);
		}
		return status_set_errno(reterr, STATUS_PERMISSION_DENIED, err,
					"raise the limit of descriptors from "
					"%llu to %llu",
					(unsigned long long)soft,
					(unsigned long long)limit.rlim_max);
	}
	if (ret_limit != NULL) {
		*ret_limit = as_size(limit.rlim_max);
	}
	return STATUS_OK;
}

size_t descriptors_admit(size_t wanted, size_t per_request, size_t reserved)
{
	struct rlimit limit;
	size_t open_max;
	size_t fit;

	if (per_request == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return wanted > 0 ? wanted : 1;
	}
	open_max = as_size(limit.rlim_cur);
	fit = open_max > reserved ? (open_max - reserved) / per_request : 0;
	if (fit > wanted) {
		fit = wanted;
	}
	return fit > 0 ? fit : 1;
}
