# What the inside of the hexagon links, all the way down, as the build knows it:
# a library of the project that is not on the list, or any other one, does not
# belong there.
function(stock_order_closure target ret_closure)
  set(closure "")
  set(todo ${target})
  while(todo)
    list(POP_FRONT todo name)
    foreach(wrap LINK_ONLY BUILD_INTERFACE)
      string(REGEX REPLACE "^\\$<${wrap}:(.*)>$" "\\1" name "${name}")
    endforeach()
    if(name IN_LIST closure)
      continue()
    endif()
    list(APPEND closure ${name})
    if(TARGET ${name})
      foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
        get_target_property(links ${name} ${property})
        if(links)
          list(APPEND todo ${links})
        endif()
      endforeach()
    endif()
  endwhile()
  set(${ret_closure} ${closure} PARENT_SCOPE)
endfunction()

# stock_order_links_only(target allowed...): a test that says so.
function(stock_order_links_only target)
  stock_order_closure(${target} closure)
  list(REMOVE_ITEM closure ${target} rescind_strict ${ARGN})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${target}.others "${closure}")
  add_test(NAME ${target}_links_nothing_else COMMAND sh -c
    "cat $0; test ! -s $0" ${CMAKE_CURRENT_BINARY_DIR}/${target}.others)
  set_tests_properties(${target}_links_nothing_else PROPERTIES
    LABELS unit TIMEOUT 60)
endfunction()
