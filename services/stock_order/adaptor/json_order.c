#include "stock_order/adaptor/json_order.h"

#include <jansson.h>
#include <string.h>

#include "stock_order/adaptor/time_text.h"

static const char invalid_body[] = "invalid request body";

/* ---- in ----------------------------------------------------------------- */

/* What a member of the object has to be, and where it goes. */
struct member {
	const char *name;
	const char *wanted;
	bool (*take)(struct order_draft *draft, const json_t *value);
};

static bool take_symbol(struct order_draft *draft, const json_t *value)
{
	draft->symbol = json_string_value(value);
	return draft->symbol != NULL;
}

static bool take_type(struct order_draft *draft, const json_t *value)
{
	if (!json_is_string(value)) {
		return false;
	}
	draft->type = order_type_parse(json_string_value(value));
	return true;
}

static bool take_side(struct order_draft *draft, const json_t *value)
{
	if (!json_is_string(value)) {
		return false;
	}
	draft->side = order_side_parse(json_string_value(value));
	return true;
}

static bool take_quantity(struct order_draft *draft, const json_t *value)
{
	draft->quantity = json_integer_value(value);
	return json_is_integer(value);
}

static bool take_price(struct order_draft *draft, const json_t *value)
{
	draft->price = json_number_value(value);
	return json_is_number(value);
}

static bool take_description(struct order_draft *draft, const json_t *value)
{
	draft->description = json_string_value(value);
	return draft->description != NULL;
}

static const struct member members[] = {
	{ "symbol", "a string", take_symbol },
	{ "order_type", "a string", take_type },
	{ "order_side", "a string", take_side },
	{ "quantity", "an integer", take_quantity },
	{ "price", "a number", take_price },
	{ "description", "a string", take_description },
};
enum { MEMBER_NR = sizeof(members) / sizeof(members[0]) };

static const struct member *find_member(const char *name)
{
	for (size_t i = 0; i < MEMBER_NR; i++) {
		if (strcmp(members[i].name, name) == 0) {
			return &members[i];
		}
	}
	return NULL;
}

static enum status_code take_member(struct order_draft *draft, const char *name,
				    const json_t *value, struct status *reterr)
{
	const struct member *member = find_member(name);

	if (member == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "unknown field \"%s\"", name);
	}
	if (!member->take(draft, value)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s must be %s", name, member->wanted);
	}
	return STATUS_OK;
}

static enum status_code take_members(json_t *json, struct order_draft *draft,
				     struct status *reterr)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT, "%s",
				  invalid_body);
	}
	json_object_foreach(json, name, value)
	{
		if (take_member(draft, name, value, reterr) != STATUS_OK) {
			return reterr->code;
		}
	}
	return STATUS_OK;
}

/* ---- what is wrong ------------------------------------------------------ */

/* Behind the text that begins at @at, or the end. */
static const char *skip_text(const char *at, const char *end)
{
	while (at < end && *at != '"') {
		at += *at == '\\' ? 2 : 1;
	}
	return at < end ? at + 1 : end;
}

/* Of a name as it stands in a text, between quotes and without escapes. */
static const struct member *find_quoted(const char *text)
{
	for (size_t i = 0; i < MEMBER_NR; i++) {
		size_t size = strlen(members[i].name);

		if (strncmp(members[i].name, text, size) == 0 &&
		    text[size] == '"') {
			return &members[i];
		}
	}
	return NULL;
}

/*
 * The member whose value @size bytes of an object end in or behind, NULL where
 * that is none of ours, a name, or deeper inside. So far all was JSON.
 */
static const struct member *member_at(const char *text, size_t size)
{
	const char *end = text + size;
	const char *name = NULL; /* the last text */
	const struct member *member = NULL;
	int depth = 0;

	while (text < end) {
		char c = *text++;

		if (c == '"') {
			name = text;
			text = skip_text(text, end);
		} else if (c == '{' || c == '[' || c == ',') {
			depth += c != ',';
			member = NULL;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == ':' && depth == 1 && name != NULL) {
			member = find_quoted(name);
		}
	}
	return member;
}

/* Of what is no JSON at all there is nothing to explain. */
static const char *fault_of(const json_error_t *error)
{
	switch ((int)json_error_code(error)) {
	case json_error_numeric_overflow:
		return "is out of range";
	case json_error_invalid_utf8:
		return "is not UTF-8";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "contains NUL";
	default:
		return NULL;
	}
}

static enum status_code explain_fault(const char *text, size_t size,
				      const char *fault, struct status *reterr)
{
	const struct member *member = member_at(text, size);

	if (member == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s: a part of it %s", invalid_body, fault);
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT, "%s %s",
			  member->name, fault);
}

static enum status_code explain(const char *text, size_t size,
				const json_error_t *error,
				struct status *reterr)
{
	size_t position = (size_t)error->position;
	const char *fault = fault_of(error);

	if (fault != NULL) {
		return explain_fault(text, position < size ? position : size,
				     fault, reterr);
	}
	if (json_error_code(error) == json_error_duplicate_key) {
		/* It says which. */
		return status_set(reterr, STATUS_INVALID_ARGUMENT, "%s: %s",
				  invalid_body, error->text);
	}
	return status_set(reterr, STATUS_INVALID_ARGUMENT, "%s", invalid_body);
}

/* ---- all of it ---------------------------------------------------------- */

static json_t *load(const char *text, size_t size, struct status *reterr)
{
	json_error_t error;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	if (json == NULL) {
		/* It is always INVALID_ARGUMENT. */
		(void)explain(text, size, &error, reterr);
	}
	return json;
}

enum status_code json_draft_parse(const char *text, size_t size,
				  struct json_draft *ret_draft,
				  struct status *reterr)
{
	struct order_draft draft = { 0 };
	struct status bad;
	json_t *json = load(text, size, &bad);

	if (json == NULL || take_members(json, &draft, &bad) != STATUS_OK) {
		json_decref(json);
		return status_set(reterr, bad.code, "%s", bad.message);
	}
	*ret_draft = (struct json_draft){ .draft = draft, .json = json };
	return STATUS_OK;
}

void json_draft_release(struct json_draft *draft)
{
	json_decref(draft->json);
	draft->json = NULL;
}

/* ---- out ---------------------------------------------------------------- */

static void put_time(struct json_writer *writer, const char *key,
		     int64_t time_us)
{
	char text[TIME_TEXT_SIZE];

	json_put_text(writer, key, text, time_text_rfc3339(time_us, text));
}

void json_put_order(struct json_writer *writer, const char *key,
		    const struct order *order)
{
	json_begin_object(writer, key);
	json_put_string(writer, "id", order->id);
	json_put_string(writer, "symbol", order->symbol);
	json_put_string(writer, "order_type", order_type_name(order->type));
	json_put_string(writer, "order_side", order_side_name(order->side));
	json_put_int(writer, "quantity", order->quantity);
	if (order->price != 0) {
		json_put_double(writer, "price", order->price);
	}
	json_put_string(writer, "status", order_status_name(order->status));
	put_time(writer, "created_at", order->created_at_us);
	put_time(writer, "updated_at", order->updated_at_us);
	if (order->description[0] != '\0') {
		json_put_string(writer, "description", order->description);
	}
	json_end(writer);
}
