add_executable(bench_rpc ${CMAKE_CURRENT_LIST_DIR}/bench_rpc.c)
target_link_libraries(bench_rpc PRIVATE rescind_rpc rescind_ctx rescind_loop
                      rescind_proto_worker rescind_proto_stock_order
                      rescind_strict)
