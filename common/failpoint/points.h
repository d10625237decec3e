/* All points of this program, as the linker gathered them. */
#ifndef RESCIND_FAILPOINT_POINTS_H
#define RESCIND_FAILPOINT_POINTS_H

#include <stddef.h>

#include "failpoint/failpoint.h"

/* How many; sorts them by name, and stops the program where two have one. */
size_t failpoint_sort(void);
/* The one at @index. */
struct failpoint *failpoint_at(size_t index);

/* Do what the environment says; before main(). */
void failpoint_start(void);

#endif
