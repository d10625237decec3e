# What `cmake --install` puts where:
#
#   bin/rescind-echo, bin/rescind-worker,  prefixed: an `echo` in PATH would
#   bin/rescind-stock-demo-1, -2, -3,      shadow the system's
#   bin/rescind-stock-client, -client-grpc
#   bin/rescind-transactions               what looks after transactions in doubt
#   include/rescind/<part>/*.h             the parts' manuals
#   lib/librescind_<part>.a
#   lib/cmake/Rescind/                     find_package(Rescind): the targets
#                                          Rescind::<part>, rescind_add_proto()
#   lib/pkgconfig/rescind-<part>.pc        and rescind.pc, which is all of them
include(CMakePackageConfigHelpers)

set(here ${CMAKE_CURRENT_LIST_DIR})
set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Rescind)
set(parts status text loop json ctx log metrics flags lifecycle db db_sqlite http rpc
  work_metrics ops_http twopc twopc_record twopc_keeper program program_http
  program_grpc program_db)
# Linked into rpc; not for others.
set(inner_parts proto_health proto_reflection proto_reflection_v1alpha)

# What each part shows; all other headers are its own.
set(headers
  status/status.h
  text/utf8.h
  json/json.h
  loop/clock.h loop/loop.h
  ctx/ctx.h
  log/log.h
  metrics/metrics.h
  flags/flags.h
  lifecycle/descriptors.h lifecycle/lifecycle.h
  db/db.h db/sqlite.h
  http/http.h
  ops/ops_http.h ops/work_metrics.h
  program/config.h program/program.h program/program_db.h
  program/program_grpc.h program/program_http.h
  rpc/channel.h rpc/health.h rpc/reflection.h rpc/rpc.h rpc/schema.h
  rpc/server.h
  twopc/coordinator.h twopc/decisions.h twopc/decisions_sql.h twopc/id.h
  twopc/keeper.h twopc/participant.h twopc/prepared.h twopc/prepared_sql.h twopc/registry.h
  twopc/resolver.h twopc/rule.h)

# ---- programs and headers -----------------------------------------------------

foreach(program echo worker stock_demo_1 stock_demo_2 stock_demo_3 stock_client
                stock_client_grpc)
  string(REPLACE _ - name rescind-${program})
  install(PROGRAMS $<TARGET_FILE:rescind_cmd_${program}>
    DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME ${name})
endforeach()

install(PROGRAMS $<TARGET_FILE:rescind_tool_transactions>
  DESTINATION ${CMAKE_INSTALL_BINDIR} RENAME rescind-transactions)

foreach(header ${headers})
  get_filename_component(dir ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/common/${header}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rescind/${dir})
endforeach()

# ---- libraries and the CMake package -------------------------------------------

foreach(part ${parts} ${inner_parts})
  set_target_properties(rescind_${part} PROPERTIES EXPORT_NAME ${part})
  install(TARGETS rescind_${part} EXPORT RescindTargets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
install(EXPORT RescindTargets NAMESPACE Rescind:: DESTINATION ${config_dir})

configure_package_config_file(${here}/RescindConfig.cmake.in
  ${PROJECT_BINARY_DIR}/RescindConfig.cmake INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/RescindConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/RescindConfig.cmake
  ${PROJECT_BINARY_DIR}/RescindConfigVersion.cmake
  ${here}/RescindProto.cmake ${here}/EmbedSchema.cmake
  DESTINATION ${config_dir})

# ---- pkg-config ----------------------------------------------------------------

# The packages behind the PkgConfig:: targets, as RescindConfig.cmake.in has them.
set(module_GNUTLS gnutls)
set(module_MICROHTTPD libmicrohttpd)
set(module_PROTOBUF_C libprotobuf-c)
set(module_SQLITE sqlite3)
set(module_SYSTEMD libsystemd)

function(rescind_write_pc file libs requires description)
  list(JOIN libs " " pc_libs)
  list(JOIN requires ", " pc_requires)
  set(pc_name ${file})
  # From the file to the prefix, so that the tree may be moved.
  file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/+$" "" pc_prefix ${pc_prefix})
  set(pc_description ${description})
  configure_file(${here}/rescind.pc.in
    ${PROJECT_BINARY_DIR}/pkgconfig/${file}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/${file}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# From what the target links. Everything is public: the libraries are static.
function(rescind_part_pc part)
  get_target_property(links rescind_${part} LINK_LIBRARIES)
  set(libs -lrescind_${part})
  set(requires "")
  foreach(link ${links})
    if(link MATCHES "^\\$<BUILD_INTERFACE:")
      continue()
    elseif(link STREQUAL "Threads::Threads")
      list(APPEND libs -pthread)
    elseif(link MATCHES "^rescind_proto_")
      list(APPEND libs -l${link})
    elseif(link MATCHES "^rescind_(.+)")
      string(REPLACE _ - name ${link})
      list(APPEND requires ${name})
    elseif(link MATCHES "^PkgConfig::(GNUTLS|MICROHTTPD|PROTOBUF_C|SQLITE|SYSTEMD)$")
      list(APPEND requires ${module_${CMAKE_MATCH_1}})
    elseif(link MATCHES "/lib([^/]+)\\.(so|a)$")
      list(APPEND libs -l${CMAKE_MATCH_1})
    else()
      message(FATAL_ERROR "RescindInstall: what is ${link}, which ${part} links, "
                          "to pkg-config?")
    endif()
  endforeach()
  string(REPLACE _ - name rescind_${part})
  rescind_write_pc(${name} "${libs}" "${requires}" "${part} of Rescind")
endfunction()

set(all "")
foreach(part ${parts})
  rescind_part_pc(${part})
  string(REPLACE _ - name rescind_${part})
  list(APPEND all ${name})
endforeach()
rescind_write_pc(rescind "" "${all}" "${PROJECT_DESCRIPTION}")
