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

# rescind_library(name SOURCES a.c ... PUBLIC libs ... PRIVATE libs ...):
# a static library `rescind_<name>` of common/ or services/.
function(rescind_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(rescind_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(rescind_${name}
    PUBLIC ${ARG_PUBLIC}
    PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:rescind_strict>)
  set_target_properties(rescind_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
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
