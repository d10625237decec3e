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

/* Of what is no JSON at all there is nothing to explain. */
static const char *explain(const json_error_t *error)
{
	switch ((int)json_error_code(error)) {
	case json_error_duplicate_key:
	case json_error_numeric_overflow:
		return error->text; /* It says which. */
	case json_error_invalid_utf8:
		return "a text is not UTF-8";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "a text contains NUL";
	default:
		return NULL;
	}
}

static json_t *load(const char *text, size_t size, struct status *reterr)
{
	json_error_t error;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	const char *why = json == NULL ? explain(&error) : NULL;

	if (json == NULL) {
		status_set(reterr, STATUS_INVALID_ARGUMENT, "%s%s%s",
			   invalid_body, why != NULL ? ": " : "",
			   why != NULL ? why : "");
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
