/* Generated from grpc/health/v1/health.proto; not to be edited. */
#ifndef HEALTH_SCHEMA_H
#define HEALTH_SCHEMA_H

#include "rpc/rpc.h"

/* The descriptors of grpc/health/v1/health.proto and of all that it imports. */
extern const struct rpc_schema health_schema;

#endif
