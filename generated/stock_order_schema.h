/* Generated from stock_order.proto; not to be edited. */
#ifndef STOCK_ORDER_SCHEMA_H
#define STOCK_ORDER_SCHEMA_H

#include "rpc/rpc.h"

/* The descriptors of stock_order.proto and of all that it imports. */
extern const struct rpc_schema stock_order_schema;

#endif
