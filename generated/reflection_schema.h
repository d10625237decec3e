/* Generated from grpc/reflection/v1/reflection.proto; not to be edited. */
#ifndef REFLECTION_SCHEMA_H
#define REFLECTION_SCHEMA_H

#include "rpc/rpc.h"

/* The descriptors of grpc/reflection/v1/reflection.proto and of all that it imports. */
extern const struct rpc_schema reflection_schema;

#endif
