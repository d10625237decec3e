#include "stock_order/client/http_sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "stock_order/client/curl_loop.h"
#include "stock_order/client/http_answer.h"
#include "json/json.h"

enum { ANSWER_MAX = 64 * 1024 };

struct http_sender {
	struct order_sender base; /* first */
	struct loop *loop;
	struct curl_loop *curl;
	CURL *easy;
	char *url;
	char failure[CURL_ERROR_SIZE];

	/* The request that is out. */
	struct ctx *ctx;
	struct ctx_hook hook;
	struct loop_task cut; /* tells of the ctx's end */
	struct curl_slist *headers;
	struct json_writer body;
	size_t body_at; /* what of it libcurl has taken */
	bool repeatable;
	char answer[ANSWER_MAX];
	size_t answer_size;
	order_sent_fn done;
	void *arg;
};

#define sender_of(member, pointer)                                             \
	((struct http_sender *)((char *)(pointer)-offsetof(struct http_sender, \
							   member)))

/* ---- what libcurl asks for ----------------------------------------------- */

static size_t give_body(char *to, size_t size, size_t n, void *arg)
{
	struct http_sender *sender = arg;
	size_t left = sender->body.size - sender->body_at;
	size_t piece = left < size * n ? left : size * n;

	memcpy(to, sender->body.text + sender->body_at, piece);
	sender->body_at += piece;
	return piece;
}

/* Asked for when the request is to go out once more. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
	struct http_sender *sender = arg;

	if (!sender->repeatable || offset != 0 || origin != SEEK_SET) {
		return CURL_SEEKFUNC_FAIL;
	}
	sender->body_at = 0;
	return CURL_SEEKFUNC_OK;
}

static size_t take_answer(char *from, size_t size, size_t n, void *arg)
{
	struct http_sender *sender = arg;
	size_t more = size * n;

	if (more > ANSWER_MAX - sender->answer_size) {
		return 0; /* an error to libcurl */
	}
	memcpy(sender->answer + sender->answer_size, from, more);
	sender->answer_size += more;
	return more;
}

/* ---- the end of a request ------------------------------------------------ */

static enum status_code code_of(CURLcode result)
{
	switch ((int)result) {
	case CURLE_OPERATION_TIMEDOUT:
		return STATUS_DEADLINE_EXCEEDED;
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM: /* our own files */
		return STATUS_INVALID_ARGUMENT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_SEND_FAIL_REWIND:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return STATUS_UNAVAILABLE;
	default:
		return STATUS_INTERNAL;
	}
}

static enum status_code read_failure(const struct http_sender *sender,
				     CURLcode result, struct status *reterr)
{
	if (result == CURLE_WRITE_ERROR) {
		return status_set(reterr, STATUS_INTERNAL,
				  "the answer has more than %d bytes",
				  ANSWER_MAX);
	}
	if (result == CURLE_SEND_FAIL_REWIND) {
		return status_set(reterr, STATUS_UNAVAILABLE,
				  "the connection was lost before the answer "
				  "came");
	}
	return status_set(reterr, code_of(result), "%s",
			  sender->failure[0] != '\0'
				  ? sender->failure
				  : curl_easy_strerror(result));
}

static void end_request(struct http_sender *sender)
{
	curl_easy_setopt(sender->easy, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(sender->headers);
	sender->headers = NULL;
	json_writer_clear(&sender->body);
	sender->ctx = NULL;
}

static void on_done(CURLcode result, void *arg)
{
	struct http_sender *sender = arg;
	struct status status = status_ok();
	char id[ORDER_ID_SIZE] = "";
	long http_status = 0;

	/* Had it run, the transfer would have been cut off. */
	(void)ctx_hook_remove(sender->ctx, &sender->hook);
	curl_easy_getinfo(sender->easy, CURLINFO_RESPONSE_CODE, &http_status);
	if (result == CURLE_OK) {
		status.code =
			http_answer_read(http_status, sender->answer,
					 sender->answer_size, id, &status);
	} else {
		status.code = read_failure(sender, result, &status);
	}
	end_request(sender);
	sender->done(&status, status.code == STATUS_OK ? id : NULL,
		     sender->arg);
}

static void tell_cut(struct loop_task *task)
{
	struct http_sender *sender = sender_of(cut, task);
	struct status status;

	(void)ctx_cause(sender->ctx, &status);
	end_request(sender);
	sender->done(&status, NULL, sender->arg);
}

/* On the loop's thread: deadlines and signals are served there. */
static void on_ctx_end(struct ctx_hook *hook, struct ctx *ctx)
{
	struct http_sender *sender = sender_of(hook, hook);

	(void)ctx;
	curl_loop_cancel(sender->curl);
	loop_post(sender->loop, &sender->cut);
}

/* ---- a request ----------------------------------------------------------- */

static void write_body(struct json_writer *body,
		       const struct order_draft *draft)
{
	json_begin_object(body, NULL);
	json_put_string(body, "symbol", draft->symbol);
	json_put_string(body, "order_type", order_type_name(draft->type));
	json_put_string(body, "order_side", order_side_name(draft->side));
	json_put_int(body, "quantity", draft->quantity);
	if (draft->price != 0) {
		json_put_double(body, "price", draft->price);
	}
	json_end(body);
}

static void add_header(struct http_sender *sender, const char *line)
{
	struct curl_slist *headers = curl_slist_append(sender->headers, line);

	BUG_IF(headers == NULL, "out of memory for a header");
	sender->headers = headers;
}

static void write_headers(struct http_sender *sender, const char *key)
{
	char line[sizeof("Idempotency-Key: ") + 256];

	add_header(sender, "Content-Type: application/json");
	add_header(sender, "Accept: application/json");
	if (key != NULL) {
		(void)snprintf(line, sizeof(line), "Idempotency-Key: %s", key);
		add_header(sender, line);
	}
	curl_easy_setopt(sender->easy, CURLOPT_HTTPHEADER, sender->headers);
}

static void send_order(struct order_sender *self, struct ctx *ctx,
		       const struct order_draft *draft, const char *key,
		       order_sent_fn done, void *arg)
{
	struct http_sender *sender = (struct http_sender *)self;

	BUG_IF(sender->ctx != NULL, "an order is on its way");
	sender->ctx = ctx;
	sender->done = done;
	sender->arg = arg;
	sender->answer_size = 0;
	sender->failure[0] = '\0';
	sender->body_at = 0;
	sender->repeatable = key != NULL;
	write_body(&sender->body, draft);
	write_headers(sender, key);
	curl_easy_setopt(sender->easy, CURLOPT_POSTFIELDSIZE,
			 (long)sender->body.size);
	if (ctx_hook_add(ctx, &sender->hook)) {
		curl_loop_start(sender->curl, sender->easy, on_done, sender);
	} else {
		loop_post(sender->loop, &sender->cut);
	}
}

/* ---- life ---------------------------------------------------------------- */

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	CURLUcode rc = curl_url_get(url, part, &text, 0);

	curl_free(text);
	return rc == CURLUE_OK;
}

static bool has_web_scheme(CURLU *url)
{
	char *scheme = NULL;
	bool web =
		curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		(strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

	curl_free(scheme);
	return web;
}

static enum status_code make_url(struct http_sender *sender, const char *text,
				 struct status *reterr)
{
	CURLU *url = curl_url();
	size_t size = strlen(text);
	bool good;

	BUG_IF(url == NULL, "out of memory for an address");
	good = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	       has_web_scheme(url) && !has_part(url, CURLUPART_QUERY) &&
	       !has_part(url, CURLUPART_FRAGMENT);
	curl_url_cleanup(url);
	if (!good) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not an address such as "
				  "http://localhost:8082",
				  text);
	}
	while (size > 0 && text[size - 1] == '/') {
		size--;
	}
	BUG_IF(asprintf(&sender->url, "%.*s/api/orders", (int)size, text) < 0,
	       "out of memory for an address");
	return STATUS_OK;
}

static void set_up_transfers(struct http_sender *sender,
			     const struct http_sender_options *options)
{
	CURL *easy = curl_easy_init();

	BUG_IF(easy == NULL, "out of memory for transfers");
	sender->easy = easy;
	curl_easy_setopt(easy, CURLOPT_URL, sender->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
			 (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
	curl_easy_setopt(easy, CURLOPT_READDATA, sender);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, sender);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, sender);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, sender->failure);
	/* The environment must not lead our orders elsewhere. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* Signals are ours; a name that is being looked up is not waited for.
	 */
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	if (options->tls_ca != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->tls_ca);
	}
	curl_easy_setopt(easy, CURLOPT_SSLCERT, options->tls_cert);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, options->tls_key);
}

enum status_code http_sender_new(struct loop *loop,
				 const struct http_sender_options *options,
				 struct http_sender **ret_sender,
				 struct status *reterr)
{
	static const struct order_sender_ops ops = { .send = send_order };
	struct http_sender *sender = calloc(1, sizeof(*sender));

	BUG_IF(sender == NULL, "out of memory for a sender");
	sender->base.ops = &ops;
	sender->loop = loop;
	sender->hook.fn = on_ctx_end;
	sender->cut.fn = tell_cut;
	if (make_url(sender, options->url, reterr) != STATUS_OK ||
	    curl_loop_new(loop, &sender->curl, reterr) != STATUS_OK) {
		http_sender_free(sender);
		return reterr->code;
	}
	set_up_transfers(sender, options);
	*ret_sender = sender;
	return STATUS_OK;
}

void http_sender_free(struct http_sender *sender)
{
	if (sender == NULL) {
		return;
	}
	BUG_IF(sender->ctx != NULL, "an order is on its way");
	curl_easy_cleanup(sender->easy);
	curl_loop_free(sender->curl);
	json_writer_release(&sender->body);
	free(sender->url);
	free(sender);
}

struct order_sender *http_sender_port(struct http_sender *sender)
{
	return &sender->base;
}
