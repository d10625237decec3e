/* Generated from worker.proto; not to be edited. */
#ifndef WORKER_SCHEMA_H
#define WORKER_SCHEMA_H

#include "rpc/rpc.h"

/* The descriptors of worker.proto and of all that it imports. */
extern const struct rpc_schema worker_schema;

#endif
