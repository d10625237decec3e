# Install into a fresh folder, then build and run a project that knows nothing
# but that folder: once with find_package(), once with pkg-config.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND mktemp -d /tmp/rescind-install-XXXXXX
  OUTPUT_VARIABLE scratch OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
# Moved after the installation: nothing may remember where it was put.
set(first ${scratch}/first)
set(prefix ${scratch}/prefix)

function(fail message)
  file(REMOVE_RECURSE ${scratch})
  message(FATAL_ERROR "${message}")
endfunction()

# Run a command; its output is shown only when it fails.
function(must)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    fail("${command}\n${output}\n=> ${result}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(must_exist)
  foreach(file ${ARGN})
    if(NOT EXISTS ${prefix}/${file})
      fail("not installed: ${file}")
    endif()
  endforeach()
endfunction()

function(check_program name)
  must(${prefix}/bin/rescind-${name} -version)
  if(NOT output STREQUAL "${name} ${VERSION}\n")
    fail("rescind-${name} -version: '${output}'")
  endif()
endfunction()

function(check_not_shadowing)
  foreach(name echo worker)
    if(EXISTS ${prefix}/bin/${name})
      fail("bin/${name} is installed without its prefix")
    endif()
  endforeach()
endfunction()

function(check_find_package flags)
  must(${CMAKE_COMMAND} -G ${GENERATOR} -S ${CONSUMER} -B ${scratch}/build
    -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_C_COMPILER=${COMPILER}
    "-DCMAKE_C_FLAGS=${flags}")
  must(${CMAKE_COMMAND} --build ${scratch}/build)
  must(${scratch}/build/thermometer)
endfunction()

# Uses what the first consumer generated from its .proto.
function(check_pkg_config flags)
  set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
  must(pkg-config --exists --print-errors rescind)
  must(pkg-config --cflags --libs rescind-rpc rescind-lifecycle)
  separate_arguments(libs UNIX_COMMAND "${output}")
  separate_arguments(flags UNIX_COMMAND "${flags}")
  set(generated ${scratch}/build/proto_thermometer)
  must(${COMPILER} ${flags} -o ${scratch}/plain -I${generated}
    ${CONSUMER}/main.c ${generated}/thermometer.pb-c.c
    ${generated}/thermometer_schema.c ${libs})
  must(${scratch}/plain)
endfunction()

set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
must(${CMAKE_COMMAND} --install ${BUILD} --prefix ${first})
file(RENAME ${first} ${prefix})
must_exist(bin/rescind-echo bin/rescind-worker bin/rescind-stock-demo-1
           bin/rescind-stock-demo-2 bin/rescind-stock-demo-3
           bin/rescind-stock-client bin/rescind-stock-client-grpc
           include/rescind/rpc/server.h
           ${LIBDIR}/librescind_rpc.a ${LIBDIR}/cmake/Rescind/RescindConfig.cmake
           ${LIBDIR}/pkgconfig/rescind.pc)
check_program(echo)
check_program(worker)
check_not_shadowing()
check_find_package("${flags}")
check_pkg_config("${flags}")
file(REMOVE_RECURSE ${scratch})
