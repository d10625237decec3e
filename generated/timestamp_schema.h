/* Generated from google/protobuf/timestamp.proto; not to be edited. */
#ifndef TIMESTAMP_SCHEMA_H
#define TIMESTAMP_SCHEMA_H

#include "rpc/rpc.h"

/* The descriptors of google/protobuf/timestamp.proto and of all that it imports. */
extern const struct rpc_schema timestamp_schema;

#endif
