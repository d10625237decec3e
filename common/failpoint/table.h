/*
 * The points of a program as another process sees them: a file that both have
 * mapped. It outlives the program, however that ends, so that it also tells
 * where it died.
 *
 *	struct failpoint_table *table;
 *	struct failpoint_cell *cell;
 *
 *	if (failpoint_table_map(path, &table, reterr) != STATUS_OK) ...
 *	cell = failpoint_table_find(table, "worker.stored");
 *	failpoint_cell_arm(cell, &(struct failpoint_order){
 *		.action = FAILPOINT_STALL, .nth = 1 });
 *	failpoint_cell_await(cell, 1, 5000);	// a thread stands there
 *	failpoint_cell_release(cell);		// it goes on
 *	failpoint_table_unmap(table);
 *
 * Within the program itself failpoint_cell() in failpoint.h has the cells.
 *
 * Thread-safety: all functions, any thread, any process.
 */
#ifndef RESCIND_FAILPOINT_TABLE_H
#define RESCIND_FAILPOINT_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "failpoint/order.h"

enum { FAILPOINT_NAME_SIZE = 64 };

struct failpoint_cell {
	char name[FAILPOINT_NAME_SIZE];
	bool answers;		   /* it can be told to fail */
	_Atomic uint32_t released; /* how many times; a futex */
	_Atomic uint32_t struck;   /* how many times; a futex */
	_Atomic uint64_t passes;   /* ever */
	_Atomic uint64_t order;	   /* a packed failpoint_order */
};

struct failpoint_table {
	char magic[8];
	uint32_t cell_size;
	uint32_t cells_n;
	int32_t pid; /* the program's */
	struct failpoint_cell cells[];
};

/*
 * Make the file at once, as a whole: who finds it finds all of it, and one that
 * was there before goes on to exist for those that have it mapped.
 */
MUSTCHECK enum status_code
failpoint_table_create(const char *path, size_t cells_n,
		       void (*fill)(struct failpoint_table *table),
		       struct failpoint_table **ret_table,
		       struct status *reterr);

/* NOT_FOUND where there is none, FAILED_PRECONDITION where it is no such. */
MUSTCHECK enum status_code
failpoint_table_map(const char *path, struct failpoint_table **ret_table,
		    struct status *reterr);
void failpoint_table_unmap(struct failpoint_table *table);

/* NULL: no such point. */
struct failpoint_cell *failpoint_table_find(struct failpoint_table *table,
					    const char *name);

/* Instead of what it was told before; passes are counted from now. */
void failpoint_cell_arm(struct failpoint_cell *cell,
			const struct failpoint_order *order);
/* Let go whoever is held up there now. */
void failpoint_cell_release(struct failpoint_cell *cell);
/* Wait until it has struck @times, ever. False: not within @timeout_ms. */
MUSTCHECK bool failpoint_cell_await(struct failpoint_cell *cell, uint32_t times,
				    int timeout_ms);

/* ---- for the point itself ----------------------------------------------- */

/* Tell those who await it that it strikes. */
void failpoint_cell_strike(struct failpoint_cell *cell);
/* Stay until the next release, or for @timeout_ms; 0: however long. */
void failpoint_cell_stay(struct failpoint_cell *cell, uint32_t released,
			 int timeout_ms);

#endif
