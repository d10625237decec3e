/*
 * The gate before protobuf-c's unpacking, which checks neither text nor depth:
 * it cuts strings at NUL, takes any bytes for UTF-8 and recurses as deep as the
 * sender likes.
 *
 * What passes here unpacks, unless memory is out or a proto2 message lacks a
 * required field. Thread-safety: none needed, it touches only its arguments.
 */
#ifndef RESCIND_RPC_VALIDATE_H
#define RESCIND_RPC_VALIDATE_H

#include <protobuf-c/protobuf-c.h>

#include "status/status.h"

/* Messages inside one another, the outermost not counted. */
enum { RPC_NESTING_MAX = 64 };

/*
 * Whether @data is a well-formed message of @descriptor: known fields have the
 * wire type of their declaration, nothing nests deeper than RPC_NESTING_MAX,
 * strings are UTF-8 without NUL. Unknown fields need only be well-formed;
 * groups (which protobuf-c can't read) are refused. On false @reterr is
 * INVALID_ARGUMENT with a sentence that names the field.
 */
MUSTCHECK bool rpc_validate(const ProtobufCMessageDescriptor *descriptor,
			    const uint8_t *data, size_t size,
			    struct status *reterr);

#endif
