# Script: write OUTPUT/NAME_schema.{c,h}, which hold the serialized descriptor
# set INPUT of the file PROTO as an array.
#
#   cmake -DNAME=greeter -DPROTO=greeter.proto -DINPUT=greeter.desc -DOUTPUT=dir
#         -P EmbedSchema.cmake
foreach(var NAME PROTO INPUT OUTPUT)
  if(NOT ${var})
    message(FATAL_ERROR "EmbedSchema: ${var} is not set")
  endif()
endforeach()

file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REPEAT "0x..," 14 row)
string(REGEX REPLACE "(${row})" "\\1\n\t" bytes "${bytes}")
string(REGEX REPLACE "\n\t$" "" bytes "${bytes}")
string(TOUPPER ${NAME} guard)

file(WRITE ${OUTPUT}/${NAME}_schema.h
"/* Generated from ${PROTO}; not to be edited. */
#ifndef ${guard}_SCHEMA_H
#define ${guard}_SCHEMA_H

#include \"rpc/rpc.h\"

/* The descriptors of ${PROTO} and of all that it imports. */
extern const struct rpc_schema ${NAME}_schema;

#endif
")
file(WRITE ${OUTPUT}/${NAME}_schema.c
"/* Generated from ${PROTO}; not to be edited. */
#include \"${NAME}_schema.h\"

static const uint8_t data[] = {
	${bytes}
};

const struct rpc_schema ${NAME}_schema = { data, sizeof(data) };
")
