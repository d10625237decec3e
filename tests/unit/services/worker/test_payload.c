#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "worker/payload.h"
#include "worker/work.h"

START_TEST(what_is_made_is_read)
{
	static const char *const data[] = { "", "x", "two words",
					    "h\xC3\xA9llo" };

	for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
		struct payload payload = { 0 };
		struct payload_view task;

		payload_make(&payload, "t1", data[i]);
		ck_assert(payload_read(payload.bytes, payload.size, &task));
		ck_assert_str_eq(task.task_id, "t1");
		ck_assert_str_eq(task.data, data[i]);
		ck_assert_uint_eq(task.data_size, strlen(data[i]));
		payload_release(&payload);
		payload_release(&payload);
	}
}
END_TEST

START_TEST(the_longest_task_fits)
{
	static char id[TASK_ID_SIZE_MAX + 1], data[TASK_DATA_SIZE_MAX + 1];
	struct payload payload = { 0 };
	struct payload_view task;

	memset(id, 'i', TASK_ID_SIZE_MAX);
	memset(data, 'd', TASK_DATA_SIZE_MAX);
	payload_make(&payload, id, data);
	ck_assert(payload_read(payload.bytes, payload.size, &task));
	ck_assert_uint_eq(strlen(task.task_id), TASK_ID_SIZE_MAX);
	ck_assert_uint_eq(task.data_size, TASK_DATA_SIZE_MAX);
	payload_release(&payload);
}
END_TEST

/* What is on disk stays there while programs change. */
START_TEST(the_bytes_are_these)
{
	struct payload payload = { 0 };

	payload_make(&payload, "t1", "data");
	ck_assert_uint_eq(payload.size, 8);
	ck_assert_mem_eq(payload.bytes, "1t1\0data", 9);
	payload_release(&payload);
}
END_TEST

START_TEST(other_bytes_are_refused)
{
	static const struct {
		const char *bytes;
		size_t size;
	} others[] = {
		{ "", 0 },	  { "1", 1 },	    { "1t", 2 },
		{ "1t1data", 7 }, { "1\0data", 6 }, { "2t1\0data", 8 },
		{ "\0t1\0d", 5 },
	};
	static char long_id[TASK_ID_SIZE_MAX + 3];
	struct payload_view task;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ck_assert_msg(
			!payload_read(others[i].bytes, others[i].size, &task),
			"%zu", i);
	}
	memset(long_id, '1', TASK_ID_SIZE_MAX + 2);
	ck_assert(!payload_read(long_id, sizeof(long_id), &task));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("payload");
	TCase *tc = tcase_create("payload");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, what_is_made_is_read);
	tcase_add_test(tc, the_longest_task_fits);
	tcase_add_test(tc, the_bytes_are_these);
	tcase_add_test(tc, other_bytes_are_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
