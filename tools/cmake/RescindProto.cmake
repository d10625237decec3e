# From a .proto to a library.
#
#   rescind_add_proto(greeter greeter.proto)
#   target_link_libraries(greeter_server PRIVATE rescind_proto_greeter)
#
# makes the static library rescind_proto_<name> at build time: what protoc-c
# generates, and the file's descriptor set (with all that it imports) as
# `extern const struct rpc_schema <name>_schema;`. User code includes
# "<import path>.pb-c.h" and "<name>_schema.h".
#
# Options:
#   ROOT dir        the file's import name is its path below dir; default: the
#                   folder of the file. Names must be those that others import
#                   by, since reflection serves them.
#   IMPORTS dir...  where else to look for imported files
#   LINK target...  rescind_proto_* libraries of imported files
find_package(PkgConfig REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET GLOBAL libprotobuf-c)

set(RESCIND_EMBED_SCHEMA ${CMAKE_CURRENT_LIST_DIR}/EmbedSchema.cmake)

# The library of files that are there or will be: @dir has <stem>.pb-c.{c,h}
# and <name>_schema.{c,h}.
function(rescind_proto_library name dir stem)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(rescind_proto_${name} STATIC
    ${dir}/${stem}.pb-c.c ${dir}/${name}_schema.c)
  target_include_directories(rescind_proto_${name} SYSTEM PUBLIC
    $<BUILD_INTERFACE:${dir}>)
  target_link_libraries(rescind_proto_${name}
    PUBLIC rescind_status PkgConfig::PROTOBUF_C ${ARG_LINK})
  set_target_properties(rescind_proto_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON)
endfunction()

function(rescind_add_proto name file)
  cmake_parse_arguments(ARG "" "ROOT" "IMPORTS;LINK" ${ARGN})
  find_program(RESCIND_PROTOC protoc REQUIRED)
  find_program(RESCIND_PROTOC_C protoc-c REQUIRED)
  get_filename_component(file ${file} ABSOLUTE)
  if(ARG_ROOT)
    get_filename_component(root ${ARG_ROOT} ABSOLUTE)
  else()
    get_filename_component(root ${file} DIRECTORY)
  endif()
  file(RELATIVE_PATH import ${root} ${file})
  string(REGEX REPLACE "\\.proto$" "" stem ${import})
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/proto_${name})
  file(MAKE_DIRECTORY ${dir})
  set(paths -I${root})
  foreach(path ${ARG_IMPORTS})
    get_filename_component(path ${path} ABSOLUTE)
    list(APPEND paths -I${path})
  endforeach()

  add_custom_command(
    OUTPUT ${dir}/${stem}.pb-c.c ${dir}/${stem}.pb-c.h
           ${dir}/${name}_schema.c ${dir}/${name}_schema.h
    BYPRODUCTS ${dir}/${name}.desc
    COMMAND ${RESCIND_PROTOC_C} ${paths} --c_out=${dir} ${import}
    COMMAND ${RESCIND_PROTOC} ${paths} --include_imports
            --descriptor_set_out=${dir}/${name}.desc ${import}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DPROTO=${import}
            -DINPUT=${dir}/${name}.desc -DOUTPUT=${dir}
            -P ${RESCIND_EMBED_SCHEMA}
    DEPENDS ${file} ${RESCIND_EMBED_SCHEMA}
    COMMENT "Generating ${name} from ${import}"
    VERBATIM)
  rescind_proto_library(${name} ${dir} ${stem} LINK ${ARG_LINK})
endfunction()
