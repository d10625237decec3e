/* Certificates for tests, made by openssl. */
#ifndef RESCIND_TEST_IDENTITY_H
#define RESCIND_TEST_IDENTITY_H

#include "harness/scratch.h"

/* An authority, and what it signed for "localhost". */
struct identity {
	char ca[PATH_SIZE];
	char ca_key[PATH_SIZE];
	char cert[PATH_SIZE];
	char key[PATH_SIZE];
};

/* Make a new one in the folder <dir>/<name>. */
void identity_make(struct identity *id, const char *dir, const char *name);

#endif
