#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "grpc/health/v1/health.pb-c.h"
#include "rpc/health_watch.h"

#define HEALTH (&grpc__health__v1__health__descriptor)

static struct fixture fixture;

static void setup(void)
{
	fixture_start(&fixture);
}

static void teardown(void)
{
	fixture_stop(&fixture);
}

/* ---- asking ------------------------------------------------------------- */

/* The state that Check tells, or HEALTH_NONE with the status. */
static enum health_state check(char *service, struct status *ret_status)
{
	Grpc__Health__V1__HealthCheckRequest request =
		GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	Grpc__Health__V1__HealthCheckResponse *response;
	ProtobufCMessage *message;
	enum health_state state = HEALTH_NONE;

	request.service = service;
	*ret_status = fixture_call(&fixture, HEALTH, "Check", &request.base,
				   &message);
	if (message != NULL) {
		response = (void *)message;
		state = (enum health_state)response->status;
		protobuf_c_message_free_unpacked(message, NULL);
	}
	return state;
}

static void watch(struct stream *stream, char *service)
{
	Grpc__Health__V1__HealthCheckRequest request =
		GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;

	request.service = service;
	stream_open(stream, &fixture, HEALTH, "Watch");
	stream_send_last(stream, &request.base);
}

/* What the watcher is told next; HEALTH_NONE: the stream has ended. */
static enum health_state told(struct stream *stream)
{
	ProtobufCMessage *message = stream_next(
		stream, &grpc__health__v1__health_check_response__descriptor);
	const Grpc__Health__V1__HealthCheckResponse *response =
		(const void *)message;
	enum health_state state = HEALTH_NONE;

	if (message != NULL) {
		state = (enum health_state)response->status;
		protobuf_c_message_free_unpacked(message, NULL);
	}
	return state;
}

#define check_told(stream, wanted)                                             \
	do {                                                                   \
		enum health_state told_ = told(stream);                        \
                                                                               \
		ck_assert_msg(told_ == (wanted), "told %d; end: %s", told_,    \
			      (stream)->end.message);                          \
	} while (0)

static size_t watcher_count(void)
{
	size_t count;

	pthread_mutex_lock(&fixture.health->mutex);
	count = fixture.health->watcher_count;
	pthread_mutex_unlock(&fixture.health->mutex);
	return count;
}

/* ---- Check and List ----------------------------------------------------- */

START_TEST(the_server_as_a_whole_serves_from_the_start)
{
	struct status st;
	char name[] = "";

	ck_assert_int_eq(check(name, &st), HEALTH_SERVING);
}
END_TEST

START_TEST(a_check_tells_what_was_set_last)
{
	struct status st;
	char name[] = "a.Service";

	rpc_health_set(fixture.health, name, false);
	ck_assert_int_eq(check(name, &st), HEALTH_NOT_SERVING);
	rpc_health_set(fixture.health, name, true);
	ck_assert_int_eq(check(name, &st), HEALTH_SERVING);
}
END_TEST

START_TEST(a_check_of_an_unknown_service_is_not_found)
{
	struct status st;
	char name[] = "no.Service";

	ck_assert_int_eq(check(name, &st), HEALTH_NONE);
	ck_assert_msg(st.code == STATUS_NOT_FOUND, "%s", st.message);
	ck_assert_str_eq(st.message, "unknown service 'no.Service'");
}
END_TEST

static struct status list(Grpc__Health__V1__HealthListResponse **ret_response)
{
	Grpc__Health__V1__HealthListRequest request =
		GRPC__HEALTH__V1__HEALTH_LIST_REQUEST__INIT;
	ProtobufCMessage *message;
	struct status st =
		fixture_call(&fixture, HEALTH, "List", &request.base, &message);

	*ret_response = (void *)message;
	return st;
}

START_TEST(the_list_has_every_service_with_its_state)
{
	Grpc__Health__V1__HealthListResponse *response;

	rpc_health_set(fixture.health, "a.Service", false);
	ck_assert_int_eq(list(&response).code, STATUS_OK);
	ck_assert_uint_eq(response->n_statuses, 2);
	ck_assert_str_eq(response->statuses[0]->key, "");
	ck_assert_int_eq(response->statuses[0]->value->status, HEALTH_SERVING);
	ck_assert_str_eq(response->statuses[1]->key, "a.Service");
	ck_assert_int_eq(response->statuses[1]->value->status,
			 HEALTH_NOT_SERVING);
	protobuf_c_message_free_unpacked(&response->base, NULL);
}
END_TEST

START_TEST(a_list_of_more_than_a_hundred_services_is_refused)
{
	Grpc__Health__V1__HealthListResponse *response;
	char name[16];

	for (int i = 1; i < HEALTH_LIST_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		rpc_health_set(fixture.health, name, true);
	}
	ck_assert_int_eq(list(&response).code, STATUS_OK);
	ck_assert_uint_eq(response->n_statuses, HEALTH_LIST_MAX);
	protobuf_c_message_free_unpacked(&response->base, NULL);
	rpc_health_set(fixture.health, "one more", true);
	ck_assert_int_eq(list(&response).code, STATUS_RESOURCE_EXHAUSTED);
}
END_TEST

/* ---- Watch -------------------------------------------------------------- */

START_TEST(a_watcher_is_told_the_state_and_each_change)
{
	struct stream stream;
	char name[] = "";

	watch(&stream, name);
	check_told(&stream, HEALTH_SERVING);
	rpc_health_set(fixture.health, "", false);
	check_told(&stream, HEALTH_NOT_SERVING);
	rpc_health_set(fixture.health, "", true);
	check_told(&stream, HEALTH_SERVING);
	stream_cancel(&stream);
	stream_release(&stream);
}
END_TEST

START_TEST(a_watcher_is_told_nothing_twice)
{
	struct stream stream;
	char name[] = "";

	watch(&stream, name);
	check_told(&stream, HEALTH_SERVING);
	rpc_health_set(fixture.health, "", true);
	rpc_health_set(fixture.health, "other", false);
	rpc_health_set(fixture.health, "", false);
	check_told(&stream, HEALTH_NOT_SERVING);
	stream_cancel(&stream);
	stream_release(&stream);
}
END_TEST

START_TEST(a_watcher_of_an_unknown_service_waits_for_it)
{
	struct stream stream;
	char name[] = "later.Service";

	watch(&stream, name);
	check_told(&stream, HEALTH_SERVICE_UNKNOWN);
	rpc_health_set(fixture.health, name, true);
	check_told(&stream, HEALTH_SERVING);
	stream_cancel(&stream);
	stream_release(&stream);
}
END_TEST

START_TEST(a_watcher_that_leaves_is_forgotten)
{
	struct stream stream;
	char name[] = "";

	watch(&stream, name);
	check_told(&stream, HEALTH_SERVING);
	ck_assert_uint_eq(watcher_count(), 1);
	stream_cancel(&stream);
	fixture_wait_ended(&fixture, 1);
	ck_assert_uint_eq(watcher_count(), 0);
	rpc_health_set(fixture.health, "", false);
	stream_release(&stream);
}
END_TEST

START_TEST(a_watched_name_has_a_limit)
{
	struct stream stream;
	char name[HEALTH_NAME_SIZE_MAX + 1];

	memset(name, 'n', sizeof(name));
	name[HEALTH_NAME_SIZE_MAX] = '\0';
	watch(&stream, name);
	check_end(&stream, STATUS_INVALID_ARGUMENT);
	stream_release(&stream);
	name[HEALTH_NAME_SIZE_MAX - 1] = '\0';
	watch(&stream, name);
	check_told(&stream, HEALTH_SERVICE_UNKNOWN);
	stream_cancel(&stream);
	stream_release(&stream);
}
END_TEST

START_TEST(a_watch_without_a_request_is_refused)
{
	struct stream stream;

	stream_open(&stream, &fixture, HEALTH, "Watch");
	stream_close_send(&stream);
	check_end(&stream, STATUS_INVALID_ARGUMENT);
	stream_release(&stream);
}
END_TEST

/* The poller stands still, so the first change is not sent when others come. */
START_TEST(changes_during_a_send_are_told_after_it_as_one)
{
	struct stream stream;
	struct status st;
	char name[] = "";

	watch(&stream, name);
	check_told(&stream, HEALTH_SERVING);
	fixture_hold(&fixture, true);
	(void)check(name, &st);
	fixture_wait_ended(&fixture, 1);
	for (int i = 0; i < 5; i++) {
		rpc_health_set(fixture.health, "", false);
		rpc_health_set(fixture.health, "", true);
	}
	fixture_hold(&fixture, false);
	check_told(&stream, HEALTH_NOT_SERVING);
	check_told(&stream, HEALTH_SERVING);
	rpc_health_set(fixture.health, "", false);
	check_told(&stream, HEALTH_NOT_SERVING);
	stream_cancel(&stream);
	stream_release(&stream);
}
END_TEST

static void *flip(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		rpc_health_set(arg, "", i % 2 == 0);
	}
	return NULL;
}

/* No message is lost but those that a later one has overtaken. */
START_TEST(a_storm_of_changes_ends_with_the_last)
{
	struct stream streams[4];
	pthread_t threads[2];
	char name[] = "";
	enum health_state before = HEALTH_NONE;
	enum health_state state;

	for (int i = 0; i < 4; i++) {
		watch(&streams[i], name);
		check_told(&streams[i], HEALTH_SERVING);
	}
	for (int i = 0; i < 2; i++) {
		pthread_create(&threads[i], NULL, flip, fixture.health);
	}
	stream_cancel(&streams[3]); /* in the middle of it */
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	rpc_health_shutdown(fixture.health);
	for (int i = 0; i < 4; i++) {
		stream_end(&streams[i]);
		if (i < 3) {
			before = HEALTH_SERVING;
			while ((state = told(&streams[i])) != HEALTH_NONE) {
				ck_assert_int_ne(state, before);
				before = state;
			}
			ck_assert_int_eq(before, HEALTH_NOT_SERVING);
		}
		stream_release(&streams[i]);
	}
}
END_TEST

/* ---- shutting down ------------------------------------------------------ */

START_TEST(at_shutdown_watchers_are_told_and_ended)
{
	struct stream known, unknown;
	char name[] = "";
	char other[] = "other";

	watch(&known, name);
	watch(&unknown, other);
	check_told(&known, HEALTH_SERVING);
	check_told(&unknown, HEALTH_SERVICE_UNKNOWN);
	rpc_health_shutdown(fixture.health);
	check_told(&known, HEALTH_NOT_SERVING);
	check_told(&known, HEALTH_NONE);
	check_told(&unknown, HEALTH_NONE);
	/* The client's name for a CANCELLED that it did not ask for. */
	check_end(&known, STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(known.end.message, "shutting down"));
	ck_assert_uint_eq(watcher_count(), 0);
	stream_release(&known);
	stream_release(&unknown);
}
END_TEST

/* Who has a send in flight ends when it is over, and leaves nothing behind. */
START_TEST(a_shutdown_during_a_send_ends_the_watcher_after_it)
{
	struct stream stream;
	struct status st;
	char name[] = "";

	watch(&stream, name);
	check_told(&stream, HEALTH_SERVING);
	fixture_hold(&fixture, true);
	(void)check(name, &st);
	fixture_wait_ended(&fixture, 1);
	rpc_health_set(fixture.health, "", false);
	rpc_health_shutdown(fixture.health);
	ck_assert_uint_eq(watcher_count(), 1);
	fixture_hold(&fixture, false);
	check_told(&stream, HEALTH_NOT_SERVING);
	check_end(&stream, STATUS_UNAVAILABLE);
	stream_release(&stream);
	fixture_stop_server(&fixture);
	ck_assert_int_eq(atomic_load(&fixture.health->refs), 1);
}
END_TEST

START_TEST(after_shutdown_nothing_serves_again)
{
	struct stream stream;
	struct status st;
	char name[] = "";

	rpc_health_shutdown(fixture.health);
	rpc_health_set(fixture.health, "", true);
	ck_assert_int_eq(check(name, &st), HEALTH_NOT_SERVING);
	watch(&stream, name);
	check_told(&stream, HEALTH_NOT_SERVING);
	check_end(&stream, STATUS_UNAVAILABLE);
	stream_release(&stream);
}
END_TEST

START_TEST(watchers_do_not_hold_up_the_end_of_a_server)
{
	struct stream streams[8];
	char name[] = "";

	for (int i = 0; i < 8; i++) {
		watch(&streams[i], name);
		check_told(&streams[i], HEALTH_SERVING);
	}
	fixture_stop_server(&fixture);
	for (int i = 0; i < 8; i++) {
		check_end(&streams[i], STATUS_UNAVAILABLE);
		stream_release(&streams[i]);
	}
	ck_assert_uint_eq(watcher_count(), 0);
	ck_assert_int_eq(atomic_load(&fixture.health->refs), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health");
	TCase *tc = tcase_create("health");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_server_as_a_whole_serves_from_the_start);
	tcase_add_test(tc, a_check_tells_what_was_set_last);
	tcase_add_test(tc, a_check_of_an_unknown_service_is_not_found);
	tcase_add_test(tc, the_list_has_every_service_with_its_state);
	tcase_add_test(tc, a_list_of_more_than_a_hundred_services_is_refused);
	tcase_add_test(tc, a_watcher_is_told_the_state_and_each_change);
	tcase_add_test(tc, a_watcher_is_told_nothing_twice);
	tcase_add_test(tc, a_watcher_of_an_unknown_service_waits_for_it);
	tcase_add_test(tc, a_watcher_that_leaves_is_forgotten);
	tcase_add_test(tc, a_watched_name_has_a_limit);
	tcase_add_test(tc, a_watch_without_a_request_is_refused);
	tcase_add_test(tc, changes_during_a_send_are_told_after_it_as_one);
	tcase_add_test(tc, a_storm_of_changes_ends_with_the_last);
	tcase_add_test(tc, at_shutdown_watchers_are_told_and_ended);
	tcase_add_test(tc, a_shutdown_during_a_send_ends_the_watcher_after_it);
	tcase_add_test(tc, after_shutdown_nothing_serves_again);
	tcase_add_test(tc, watchers_do_not_hold_up_the_end_of_a_server);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
