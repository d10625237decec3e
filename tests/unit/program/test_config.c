#include <check.h>
#include <stdlib.h>

#include "lifecycle/lifecycle.h"
#include "log/log.h"
#include "program/config.h"

static struct status err;

START_TEST(the_common_flags_have_their_defaults)
{
	struct program_config c;
	struct program_tls tls;
	const struct flag table[] = {
		PROGRAM_FLAGS(&c, "requests", "503"),
		PROGRAM_SERVER_TLS_FLAGS(&tls, "", "TLS", "clients"), FLAG_END
	};
	const struct flags flags = { .program = "p",
				     .env_prefix = "P",
				     .table = table };
	char *argv[] = { NULL };

	ck_assert_int_eq(flags_parse(&flags, 0, argv, &err), FLAGS_RUN);
	ck_assert_str_eq(c.listen, "localhost");
	ck_assert_uint_eq(c.max_in_flight, 4096);
	ck_assert_int_eq(c.shutdown_timeout_ns, (int64_t)30 * NS_PER_S);
	ck_assert_int_eq(c.drain_delay_ns, 0);
	ck_assert_int_eq(c.log_format, LOG_TEXT);
	ck_assert_int_eq(c.log_level, LOG_INFO);
	ck_assert_int_eq(program_tls_check(&tls, "-tls", true, &err),
			 STATUS_OK);
	ck_assert_ptr_null(tls.cert);
	ck_assert_ptr_null(tls.key);
	ck_assert_ptr_null(tls.ca);
}
END_TEST

START_TEST(the_names_of_the_log_are_in_its_order)
{
	ck_assert_str_eq(program_log_formats[LOG_TEXT], "text");
	ck_assert_str_eq(program_log_formats[LOG_JSON], "json");
	ck_assert_str_eq(program_log_levels[LOG_DEBUG], "debug");
	ck_assert_str_eq(program_log_levels[LOG_INFO], "info");
	ck_assert_str_eq(program_log_levels[LOG_WARN], "warn");
	ck_assert_str_eq(program_log_levels[LOG_ERROR], "error");
}
END_TEST

static const struct {
	struct program_tls tls;
	bool server;
	const char *error; /* NULL: fine */
} files[] = {
	{ { "", "", "" }, true, NULL },
	{ { "c", "k", "" }, true, NULL },
	{ { "c", "k", "a" }, true, NULL },
	{ { "", "", "a" }, false, NULL },
	{ { "c", "", "" }, true, "-x-cert and -x-key need each other" },
	{ { "", "k", "a" }, false, "-x-cert and -x-key need each other" },
	{ { "", "", "a" }, true, "-x-ca needs -x-cert and -x-key" },
};

START_TEST(files_for_tls_have_to_fit_together)
{
	struct program_tls tls = files[_i].tls;
	enum status_code code =
		program_tls_check(&tls, "-x", files[_i].server, &err);

	if (files[_i].error == NULL) {
		ck_assert_int_eq(code, STATUS_OK);
	} else {
		ck_assert_int_eq(code, STATUS_INVALID_ARGUMENT);
		ck_assert_str_eq(err.message, files[_i].error);
	}
}
END_TEST

static const struct {
	const char *text;
	int port; /* -2: refused */
} ports[] = {
	{ "", PROGRAM_PORT_OFF },
	{ "off", PROGRAM_PORT_OFF },
	{ "0", 0 },
	{ "65535", 65535 },
	{ "65536", -2 },
	{ "-1", -2 },
	{ " 1", -2 },
	{ "1x", -2 },
	{ "on", -2 },
	{ "99999999999999999999", -2 },
};

START_TEST(a_port_may_be_off)
{
	int port = -2;
	enum status_code code =
		program_port_parse("-p", ports[_i].text, &port, &err);

	ck_assert_int_eq(port, ports[_i].port);
	ck_assert_int_eq(code,
			 port == -2 ? STATUS_INVALID_ARGUMENT : STATUS_OK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program_config");
	TCase *tc = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, the_common_flags_have_their_defaults);
	tcase_add_test(tc, the_names_of_the_log_are_in_its_order);
	tcase_add_loop_test(tc, files_for_tls_have_to_fit_together, 0,
			    sizeof(files) / sizeof(files[0]));
	tcase_add_loop_test(tc, a_port_may_be_off, 0,
			    sizeof(ports) / sizeof(ports[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
