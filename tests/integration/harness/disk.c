#include "harness/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { DISK_KB = 2048 };

bool disk_mount_small(const char *dir)
{
	char size[64];

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
		fprintf(stderr, "not permitted to mount (%s): skipped\n",
			strerror(errno));
		return false;
	}
	snprintf(size, sizeof(size), "size=%dk", DISK_KB);
	ck_assert_msg(mount("tmpfs", dir, "tmpfs", 0, size) == 0, "mount: %s",
		      strerror(errno));
	return true;
}

void disk_unmount(const char *dir)
{
	ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
}

void disk_fill_up(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	do {
		n = write(fd, block, sizeof(block));
	} while (n > 0);
	ck_assert_int_eq(errno, ENOSPC);
	close(fd);
}
