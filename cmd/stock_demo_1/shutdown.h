/* How this program stops. */
#ifndef RESCIND_CMD_STOCK_DEMO_1_SHUTDOWN_H
#define RESCIND_CMD_STOCK_DEMO_1_SHUTDOWN_H

#include "stock.h"

/* Register the parts with the ladder. */
void shutdown_add(struct stock *stock);

#endif
