/* Generated from grpc/reflection/v1alpha/reflection.proto; not to be edited. */
#ifndef REFLECTION_V1ALPHA_SCHEMA_H
#define REFLECTION_V1ALPHA_SCHEMA_H

#include "rpc/rpc.h"

/* The descriptors of grpc/reflection/v1alpha/reflection.proto and of all that it imports. */
extern const struct rpc_schema reflection_v1alpha_schema;

#endif
