# HTTP load, as a library of the benches and as a program.
add_library(bench_http_load STATIC ${CMAKE_CURRENT_LIST_DIR}/http_load.c)
target_include_directories(bench_http_load PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(bench_http_load PRIVATE rescind_strict)
add_executable(bench_http ${CMAKE_CURRENT_LIST_DIR}/bench_http.c)
target_link_libraries(bench_http PRIVATE bench_http_load rescind_strict)
