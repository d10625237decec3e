/*
 * A SQLite VFS that is the system's own until it is told to fail: the Nth call
 * of a kind from now on, once or from then on.
 *
 * Thread-safety: all functions, any thread.
 */
#ifndef RESCIND_TEST_FAULT_VFS_H
#define RESCIND_TEST_FAULT_VFS_H

#include <stdbool.h>

#define FAULT_VFS "fault"

enum fault_op {
	FAULT_OPEN,
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_SHM_GROW, /* the log's index, beyond its first part */
	FAULT_OP_NR
};

void fault_vfs_register(void);

/* The @nth call (from 1) of @op answers @rc, and all later ones if @sticky. */
void fault_arm(enum fault_op op, unsigned nth, int rc, bool sticky);
void fault_disarm(void);
/* Whether an armed fault has struck. */
bool fault_struck(void);

#endif
