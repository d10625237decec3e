#include "fake_stream.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void note(struct fake_stream *stream, enum twopc_verdict verdict,
		 const char *message)
{
	ck_assert_msg(stream->ends == 0, "said after the end: %s", message);
	stream->said++;
	stream->said_of[verdict]++;
	snprintf(stream->message, sizeof(stream->message), "%s", message);
}

static void say_prepared(void *arg, const char *message)
{
	struct fake_stream *stream = arg;

	pthread_mutex_lock(&stream->lock);
	note(stream, TWOPC_VERDICT_PREPARED, message);
	pthread_mutex_unlock(&stream->lock);
}

static void note_end(struct fake_stream *stream, const struct status *status)
{
	stream->ends++;
	stream->end = *status;
	pthread_cond_broadcast(&stream->changed);
}

static void answer(void *arg, enum twopc_verdict verdict, const char *message)
{
	const struct status ok = status_ok();
	struct fake_stream *stream = arg;

	pthread_mutex_lock(&stream->lock);
	note(stream, verdict, message);
	note_end(stream, &ok);
	pthread_mutex_unlock(&stream->lock);
}

static void end(void *arg, const struct status *status)
{
	struct fake_stream *stream = arg;

	pthread_mutex_lock(&stream->lock);
	note_end(stream, status);
	pthread_mutex_unlock(&stream->lock);
}

const struct branch_link fake_stream_link = {
	.say_prepared = say_prepared,
	.answer = answer,
	.end = end,
};

void fake_stream_init(struct fake_stream *stream)
{
	memset(stream, 0, sizeof(*stream));
	pthread_mutex_init(&stream->lock, NULL);
	pthread_cond_init(&stream->changed, NULL);
}

void fake_stream_release(struct fake_stream *stream)
{
	pthread_cond_destroy(&stream->changed);
	pthread_mutex_destroy(&stream->lock);
}

void fake_stream_await_end(struct fake_stream *stream)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	pthread_mutex_lock(&stream->lock);
	while (stream->ends == 0) {
		ck_assert_int_eq(pthread_cond_timedwait(&stream->changed,
							&stream->lock, &until),
				 0);
	}
	pthread_mutex_unlock(&stream->lock);
}
