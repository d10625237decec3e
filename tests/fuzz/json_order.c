/* The body of a create: what is read of it is what a JSON library reads. */
#include <jansson.h>
#include <string.h>

#include "fuzz.h"
#include "stock_order/adaptor/json_order.h"

static void check_text(const json_t *object, const char *name, const char *text)
{
	const json_t *value = json_object_get(object, name);

	MUST((value == NULL) == (text == NULL));
	MUST(value == NULL || strcmp(json_string_value(value), text) == 0);
}

static void check_names(const json_t *object, const struct order_draft *draft)
{
	const char *type =
		json_string_value(json_object_get(object, "order_type"));
	const char *side =
		json_string_value(json_object_get(object, "order_side"));

	MUST(draft->type == order_type_parse(type != NULL ? type : ""));
	MUST(draft->side == order_side_parse(side != NULL ? side : ""));
}

/* It becomes an order, or breaks a rule; and an order can be written. */
static void check_order(const struct order_draft *draft)
{
	struct json_writer writer = { 0 };
	struct order order;
	struct status st;
	json_t *back;

	if (order_create(&order, draft, "id", 0, &st) != STATUS_OK) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(st.message[0] != '\0');
		return;
	}
	json_put_order(&writer, NULL, &order);
	back = json_loadb(writer.text, writer.size, JSON_REJECT_DUPLICATES,
			  NULL);
	MUST(back != NULL);
	check_text(back, "symbol", order.symbol);
	check_text(back, "description",
		   order.description[0] != '\0' ? order.description : NULL);
	MUST(json_number_value(json_object_get(back, "price")) == order.price);
	json_decref(back);
	json_writer_release(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_draft json;
	struct status st;
	json_t *object;

	if (json_draft_parse((const char *)data, size, &json, &st) !=
	    STATUS_OK) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(st.message[0] != '\0');
		return 0;
	}
	object = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES,
			    NULL);
	MUST(json_is_object(object));
	check_text(object, "symbol", json.draft.symbol);
	check_text(object, "description", json.draft.description);
	check_names(object, &json.draft);
	MUST(json.draft.quantity ==
	     json_integer_value(json_object_get(object, "quantity")));
	MUST(json.draft.price ==
	     json_number_value(json_object_get(object, "price")));
	check_order(&json.draft);
	json_decref(object);
	json_draft_release(&json);
	return 0;
}
