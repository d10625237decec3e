# How everything here is compiled: C17, strict warnings, optional sanitizers.
include(GNUInstallDirs)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(RESCIND_SANITIZE "" CACHE STRING
    "Sanitizers to build with, as for -fsanitize= (address,undefined or thread)")
option(RESCIND_WERROR "Treat warnings as errors" OFF)

# Warnings are for code written here; generated code takes rescind_generated.
add_library(rescind_strict INTERFACE)
target_compile_options(rescind_strict INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wold-style-definition -Wconversion -Wno-sign-conversion -Wvla -Wundef
  -Wformat=2 -Wpointer-arith -Wcast-qual -Wwrite-strings -Wswitch-enum
  -Wno-missing-field-initializers
  # protoc-c's __INIT macros cast const away where they are used: gcc knows that
  # they come from a system header, clang does not.
  $<$<C_COMPILER_ID:Clang>:-Wno-cast-qual>
  $<$<BOOL:${RESCIND_WERROR}>:-Werror>)
target_compile_definitions(rescind_strict INTERFACE _GNU_SOURCE)

add_compile_options(-fno-omit-frame-pointer -fstack-protector-strong
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(NOT RESCIND_SANITIZE)
  add_compile_definitions($<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
else()
  add_compile_options(-fsanitize=${RESCIND_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RESCIND_SANITIZE})
endif()

# rescind_library(name SOURCES a.c ... PUBLIC libs ... PRIVATE libs ...
#                 [FAILPOINTS]):
# a static library `rescind_<name>` of common/ or services/.
#
# FAILPOINTS: its sources have points at which tests crash a program
# (common/failpoint). With BUILD_TESTING they are compiled a second time, as
# `rescind_<name>_faulty`, for the programs of tests alone; in rescind_<name>
# there is nothing of them. What links a library that has the keyword has it too,
# so that no program gets both.
function(rescind_library name)
  cmake_parse_arguments(ARG "FAILPOINTS" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  rescind_make_library(rescind_${name} "${ARG_SOURCES}" "${ARG_PUBLIC}"
                       "${ARG_PRIVATE}")
  get_property(with_points GLOBAL PROPERTY RESCIND_WITH_FAILPOINTS)
  if(NOT ARG_FAILPOINTS)
    foreach(library ${ARG_PUBLIC} ${ARG_PRIVATE})
      if(library IN_LIST with_points)
        message(FATAL_ERROR "rescind_library(${name}) needs the keyword "
                            "FAILPOINTS, as it links ${library}")
      endif()
    endforeach()
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY RESCIND_WITH_FAILPOINTS rescind_${name})
  if(BUILD_TESTING)
    rescind_faulty(public ${ARG_PUBLIC})
    rescind_faulty(private ${ARG_PRIVATE})
    rescind_make_library(rescind_${name}_faulty "${ARG_SOURCES}"
                         "${public};rescind_failpoint" "${private}")
    target_include_directories(rescind_${name}_faulty PUBLIC
      $<TARGET_PROPERTY:rescind_${name},INTERFACE_INCLUDE_DIRECTORIES>)
  endif()
endfunction()

function(rescind_make_library target sources public private)
  add_library(${target} STATIC ${sources})
  target_link_libraries(${target}
    PUBLIC ${public}
    PRIVATE ${private} $<BUILD_INTERFACE:rescind_strict>)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# Of each library the one that programs of tests link.
function(rescind_faulty ret_libraries)
  get_property(with_points GLOBAL PROPERTY RESCIND_WITH_FAILPOINTS)
  set(libraries ${ARGN})
  foreach(library ${with_points})
    list(TRANSFORM libraries REPLACE "^${library}$" "${library}_faulty")
  endforeach()
  set(${ret_libraries} ${libraries} PARENT_SCOPE)
endfunction()

# rescind_program(name SOURCES a.c ... LINK libs ...):
# the program <name> in bin/, target `rescind_cmd_<name>`, of cmd/<name>/. With
# BUILD_TESTING also tests/faulty/<name>, target `rescind_cmd_<name>_faulty`: the
# same sources with the failpoints of all that it links, and with disks that fail
# and forget (tests/faults). Nothing of that is installed.
function(rescind_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  rescind_make_program(rescind_cmd_${name} ${name} bin "${ARG_SOURCES}"
                       "${ARG_LINK}")
  if(BUILD_TESTING)
    rescind_faulty(link ${ARG_LINK})
    rescind_make_program(rescind_cmd_${name}_faulty ${name} tests/faulty
                         "${ARG_SOURCES}" "${link};rescind_faulty_start")
  endif()
endfunction()

function(rescind_make_program target name dir sources link)
  add_executable(${target} ${sources})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name}
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${dir})
  target_compile_definitions(${target} PRIVATE
    RESCIND_VERSION="${PROJECT_VERSION}")
  target_link_libraries(${target} PRIVATE ${link} rescind_strict)
endfunction()

# rescind_test(name SOURCES a.c ... LINK libs ... [LABELS l] [TIMEOUT s]):
# one executable of the check framework, one ctest.
function(rescind_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET GLOBAL check)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} PkgConfig::CHECK
                        rescind_strict)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}"
                       TIMEOUT ${ARG_TIMEOUT})
endfunction()
