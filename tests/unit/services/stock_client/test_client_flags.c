#include "stock_order/client/client_flags.h"

#include <string.h>

#include "suite.h"

static struct {
	struct client_order order;
	struct client_pace pace;
	struct client_tls tls;
	int64_t timeout_ns;
} c;

static struct status status;

/* Up to four arguments. */
static enum flags_outcome parse(const char *a, const char *b, const char *d,
				const char *e)
{
	const struct flag table[] = {
		CLIENT_ORDER_FLAGS(&c.order), CLIENT_RUN_FLAGS(&c.pace),
		CLIENT_TIMEOUT_FLAG(&c.timeout_ns, "an order"),
		CLIENT_TLS_FLAGS(&c.tls, ""), FLAG_END
	};
	const struct flags flags = {
		.program = "client",
		.env_prefix = "CLIENT",
		.version = "1",
		.table = table,
	};
	const char *argv[] = { "client", a, b, d, e, NULL };
	int argc = 1;
	union {
		const char **ours;
		char **theirs;
	} both = { argv };

	while (argv[argc] != NULL) {
		argc++;
	}
	status = status_ok();
	return flags_parse(&flags, argc, both.theirs, &status);
}

START_TEST(without_flags_it_is_the_order_of_old)
{
	struct order_draft draft;

	ck_assert_int_eq(parse(NULL, NULL, NULL, NULL), FLAGS_RUN);
	draft = client_order_draft(&c.order);
	ck_assert_str_eq(draft.symbol, "AAPL");
	ck_assert_int_eq(draft.type, ORDER_TYPE_MARKET);
	ck_assert_int_eq(draft.side, ORDER_SIDE_BUY);
	ck_assert_int_eq(draft.quantity, 100);
	ck_assert_double_eq(draft.price, 0);
	ck_assert_ptr_null(draft.description);
	ck_assert_int_eq(c.pace.interval_ns, NS_PER_S);
	ck_assert_uint_eq(c.pace.count, 0);
	ck_assert(!c.pace.keys);
	ck_assert_int_eq(c.timeout_ns, 10 * (int64_t)NS_PER_S);
}
END_TEST

START_TEST(an_order_can_be_said)
{
	struct order_draft draft;

	ck_assert_int_eq(parse("-type=LIMIT", "-side=SELL",
			       "-quantity=2147483647", "-price=150.75"),
			 FLAGS_RUN);
	draft = client_order_draft(&c.order);
	ck_assert_int_eq(draft.type, ORDER_TYPE_LIMIT);
	ck_assert_int_eq(draft.side, ORDER_SIDE_SELL);
	ck_assert_int_eq(draft.quantity, INT32_MAX);
	ck_assert_double_eq(draft.price, 150.75);
}
END_TEST

static const char *const refused[] = {
	"-type=STOP",	 "-type=market",	 "-side=HOLD",	"-quantity=0",
	"-quantity=-1",	 "-quantity=2147483648", "-price=-1",	"-price=nan",
	"-interval=-1s", "-interval=1",		 "-timeout=0s", "-count=x",
};

START_TEST(what_can_t_be_an_order_is_refused)
{
	ck_assert_int_eq(parse(refused[_i], NULL, NULL, NULL), FLAGS_INVALID);
	/* It says which flag. */
	ck_assert(strncmp(status.message, "flag -", 6) == 0);
	ck_assert(strncmp(status.message + 5, refused[_i],
			  strcspn(refused[_i], "=")) == 0);
}
END_TEST

START_TEST(tls_is_off_where_nothing_is_said)
{
	ck_assert_int_eq(parse(NULL, NULL, NULL, NULL), FLAGS_RUN);
	ck_assert_int_eq(client_tls_check(&c.tls, &status), STATUS_OK);
	ck_assert_ptr_null(c.tls.ca);
	ck_assert_ptr_null(c.tls.cert);
	ck_assert_ptr_null(c.tls.key);
}
END_TEST

static void expect_tls(const char *a, const char *b, const char *message)
{
	ck_assert_int_eq(parse(a, b, NULL, NULL), FLAGS_RUN);
	ck_assert_int_eq(client_tls_check(&c.tls, &status),
			 message == NULL ? STATUS_OK : STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(status.message, message != NULL ? message : "");
}

START_TEST(tls_files_must_go_together_and_be_there)
{
	expect_tls("-tls-ca=/dev/null", NULL, NULL);
	expect_tls("-tls-cert=/dev/null", "-tls-key=/dev/null", NULL);
	expect_tls("-tls-cert=/dev/null", NULL,
		   "-tls-cert and -tls-key need each other");
	expect_tls("-tls-key=/dev/null", NULL,
		   "-tls-cert and -tls-key need each other");
	expect_tls("-tls-ca=/nonexistent", NULL,
		   "flag -tls-ca: '/nonexistent': No such file or directory");
	expect_tls("-tls-cert=/nonexistent", "-tls-key=/dev/null",
		   "flag -tls-cert: '/nonexistent': No such file or "
		   "directory");
	expect_tls("-tls-cert=/dev/null", "-tls-key=/nonexistent",
		   "flag -tls-key: '/nonexistent': No such file or directory");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("client_flags");

	tcase_add_test(tc, without_flags_it_is_the_order_of_old);
	tcase_add_test(tc, an_order_can_be_said);
	tcase_add_loop_test(tc, what_can_t_be_an_order_is_refused, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, tls_is_off_where_nothing_is_said);
	tcase_add_test(tc, tls_files_must_go_together_and_be_there);
	return run_case(tc, "client_flags");
}
