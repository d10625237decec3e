# RELEASED has none of the failpoints that FAULTY, made of the same sources, has:
# no name of one among its bytes, no symbol.
cmake_policy(VERSION 3.25)

# Whether there is a line with @text in the output of a command.
function(has_text ret_has text)
  execute_process(COMMAND ${ARGN} COMMAND grep -qaiF -- ${text}
    RESULTS_VARIABLE results OUTPUT_QUIET)
  list(GET results 0 ran)
  list(GET results 1 found)
  # Cut short by grep, which has seen enough: so be it.
  if(NOT ran EQUAL 0 AND NOT found EQUAL 0)
    message(FATAL_ERROR "${ARGN}: ${ran}")
  endif()
  if(found EQUAL 0)
    set(${ret_has} TRUE PARENT_SCOPE)
  else()
    set(${ret_has} FALSE PARENT_SCOPE)
  endif()
endfunction()

function(expect is text)
  has_text(faulty ${text} ${ARGN} ${FAULTY})
  has_text(released ${text} ${ARGN} ${RELEASED})
  if(NOT faulty)
    message(FATAL_ERROR "${FAULTY} has no ${is} '${text}'")
  endif()
  if(released)
    message(FATAL_ERROR "${RELEASED} has a ${is} '${text}'")
  endif()
endfunction()

execute_process(
  COMMAND ${CMAKE_COMMAND} -E env RESCIND_FAILPOINTS=list ${FAULTY}
  OUTPUT_VARIABLE names RESULT_VARIABLE result)
string(REGEX REPLACE "\n" ";" names "${names}")
list(REMOVE_ITEM names "")
list(LENGTH names n)
if(NOT result EQUAL 0 OR n LESS 20)
  message(FATAL_ERROR "${FAULTY} lists ${n} points: ${result}")
endif()
foreach(name ${names})
  expect("point" ${name} cat)
endforeach()
expect("symbol" failpoint_pass ${NM})
expect("symbol" __start_failpoints ${NM})
foreach(text RESCIND_FAILPOINTS RESCIND_FORGET)
  expect("text" ${text} cat)
endforeach()
message(STATUS "${n} points, none of them in ${RELEASED}")
