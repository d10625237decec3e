add_executable(bench_db ${CMAKE_CURRENT_LIST_DIR}/bench_db.c)
target_link_libraries(bench_db PRIVATE rescind_db_sqlite rescind_ctx
                      rescind_loop rescind_strict)
