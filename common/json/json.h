/*
 * Writing JSON: one value into a text that grows.
 *
 *	struct json_writer w = { 0 };
 *
 *	json_begin_object(&w, NULL);
 *	json_put_string(&w, "id", order->id);
 *	json_begin_array(&w, "legs");
 *	json_put_int(&w, NULL, 100);
 *	json_end(&w);
 *	json_end(&w);
 *	json_newline(&w);
 *	send(fd, w.text, w.size, 0);	// {"id":"...","legs":[100]}
 *	json_writer_release(&w);
 *
 * Commas and braces are the writer's concern. In an object every value has a
 * @key (escaped, too), elsewhere it is NULL; a value too many, a key too few,
 * one end() too many and more than JSON_DEPTH_MAX containers inside each other
 * are programmer errors, and so is running out of memory.
 *
 * What is too long to hold goes out in pieces: json_writer_flush() forgets the
 * text so far, and the writer goes on where it is.
 *
 * Thread-safety: a writer is confined to who uses it.
 */
#ifndef RESCIND_JSON_H
#define RESCIND_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

/* All zero is an empty one. Read text and size, leave the rest alone. */
struct json_writer {
	char *text; /* not NUL-terminated; NULL while size is 0 */
	size_t size;
	size_t capacity;
	unsigned depth;
	bool filled[JSON_DEPTH_MAX + 1]; /* has a value, per level */
	bool object[JSON_DEPTH_MAX + 1]; /* or array; [0] is the whole */
};

/* Forget the text and where it is, and keep the memory. */
void json_writer_clear(struct json_writer *writer);
/* Forget the text, which has been sent, and go on behind it. */
void json_writer_flush(struct json_writer *writer);
/* Free the text; then it is an empty writer again. */
void json_writer_release(struct json_writer *writer);
/* Give the text away, for the caller to free(); then as released. */
char *json_writer_take(struct json_writer *writer, size_t *ret_size);

void json_begin_object(struct json_writer *writer, const char *key);
void json_begin_array(struct json_writer *writer, const char *key);
/* Of the innermost object or array. */
void json_end(struct json_writer *writer);

/* Any bytes: what is not UTF-8 becomes U+FFFD. */
void json_put_string(struct json_writer *writer, const char *key,
		     const char *text);
/* The same for @size bytes, NUL among them too. */
void json_put_text(struct json_writer *writer, const char *key,
		   const char *text, size_t size);
void json_put_int(struct json_writer *writer, const char *key, int64_t value);
/* The shortest digits that give this very number again; what is not finite has
 * no JSON, and becomes null. */
void json_put_double(struct json_writer *writer, const char *key, double value);
void json_put_bool(struct json_writer *writer, const char *key, bool value);
void json_put_null(struct json_writer *writer, const char *key);
/* @size bytes that are a JSON value, as they are. */
void json_put_raw(struct json_writer *writer, const char *key, const char *json,
		  size_t size);
/* A line end behind the whole value. */
void json_newline(struct json_writer *writer);

/* ---- the content of a JSON string, by itself ---------------------------- */

/* What @size bytes may take at most when escaped. */
#define JSON_ESCAPED_MAX(size) (6 * (size))

/*
 * Write what stands for @size bytes of @text between the quotes of a JSON
 * string to @ret, which has room for JSON_ESCAPED_MAX(@size); returns its size.
 * Escaped are quote, backslash, and control characters with DEL; bytes that are
 * not UTF-8 become U+FFFD each.
 */
size_t json_escape(char *ret, const char *text, size_t size);

#endif
