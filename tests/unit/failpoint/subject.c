/* A program with three points. */
#include <stdio.h>

#include "failpoint/failpoint.h"

static int read_something(void)
{
	FAILPOINT_DEFINE(at_read, "subject.read", true);

	return failpoint_pass(&at_read, 5);
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i <= 4; i++) {
		FAILPOINT("subject.turn");
		printf("turn %d: %d\n", i, read_something());
	}
	FAILPOINT("subject.end");
	return 0;
}
