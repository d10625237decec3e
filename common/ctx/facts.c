/* What rides on a ctx: set on one, seen from all its descendants. */
#include <stdlib.h>
#include <string.h>

#include "ctx/impl.h"
#include "loop/bug.h"

void ctx_facts_release(struct ctx *ctx)
{
	if (ctx->request_id != ctx->id_inline) {
		free(ctx->request_id);
	}
	ctx->request_id = NULL;
}

void ctx_set_request_id(struct ctx *ctx, const char *request_id)
{
	size_t size = strlen(request_id) + 1;
	char *copy = ctx->id_inline;

	if (size > sizeof(ctx->id_inline)) {
		copy = malloc(size);
		BUG_IF(copy == NULL, "out of memory for a request id");
	}
	memmove(copy, request_id, size);
	if (copy != ctx->request_id) {
		ctx_facts_release(ctx);
	}
	ctx->request_id = copy;
}

void ctx_set_trace(struct ctx *ctx, const struct trace *trace)
{
	ctx->trace = *trace;
	ctx->has_trace = true;
}

const char *ctx_request_id(const struct ctx *ctx)
{
	while (ctx != NULL && ctx->request_id == NULL) {
		ctx = ctx->parent;
	}
	return ctx != NULL ? ctx->request_id : "";
}

const struct trace *ctx_trace(const struct ctx *ctx)
{
	static const struct trace none;

	while (ctx != NULL && !ctx->has_trace) {
		ctx = ctx->parent;
	}
	return ctx != NULL ? &ctx->trace : &none;
}
