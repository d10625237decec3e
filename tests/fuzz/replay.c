/*
 * The main program of a fuzz target where there is no libFuzzer:
 *
 *	fuzz_x DIR [RUNS [SEED]]
 *
 * Every file of DIR is an input as it is; then RUNS inputs are made of them by
 * random changes. SEED repeats the changes of the run that printed it.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

enum {
	INPUTS_MAX = 1024,
	INPUT_SIZE_MAX = 65536,
	CHANGES_MAX = 8,
};

struct input {
	uint8_t *data;
	size_t size;
};

static struct input inputs[INPUTS_MAX];
static size_t input_count;
static uint64_t random_state;

/* ---- reading the corpus ------------------------------------------------- */

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "%s '%s': %s\n", what, path, strerror(errno));
	exit(2);
}

static void read_input(const char *path)
{
	static uint8_t buf[INPUT_SIZE_MAX];
	struct input *input = &inputs[input_count];
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		fail("open", path);
		return;
	}
	input->size = fread(buf, 1, sizeof(buf), file);
	fclose(file);
	input->data = malloc(input->size + 1);
	if (input->data == NULL) {
		fail("read", path);
		return;
	}
	memcpy(input->data, buf, input->size);
	input_count++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void read_corpus(const char *dir)
{
	struct dirent **entries = NULL;
	int count = scandir(dir, &entries, is_visible, by_name);

	if (count <= 0) {
		fail("no corpus in", dir);
	}
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (input_count < INPUTS_MAX) {
			read_input(path);
		}
		free(entries[i]);
	}
	free(entries);
}

/* ---- changing inputs ---------------------------------------------------- */

/* xorshift64*; the state is never 0. */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

/* 0 ... n - 1; n > 0. */
static size_t random_below(size_t n)
{
	return (size_t)((random_next() >> 11) % n);
}

/* Put @count bytes of @from in at @at, as far as there is room. */
static void insert(uint8_t *buf, size_t *size, size_t at, const uint8_t *from,
		   size_t count)
{
	if (count > INPUT_SIZE_MAX - *size) {
		count = INPUT_SIZE_MAX - *size;
	}
	memmove(buf + at + count, buf + at, *size - at);
	memcpy(buf + at, from, count);
	*size += count;
}

static void erase(uint8_t *buf, size_t *size, size_t at, size_t count)
{
	memmove(buf + at, buf + at + count, *size - at - count);
	*size -= count;
}

static uint8_t random_byte(void)
{
	/* Where formats have their edges. */
	static const uint8_t edges[] = { 0x00, 0x01, 0x7f, 0x80, 0xff,
					 '%',  '+',  '&',  '=',	 '.' };

	if (random_below(2) == 0) {
		return edges[random_below(sizeof(edges))];
	}
	return (uint8_t)random_next();
}

static void splice(uint8_t *buf, size_t *size)
{
	const struct input *other = &inputs[random_below(input_count)];
	size_t from = random_below(other->size + 1);
	size_t count = random_below(other->size - from + 1);

	insert(buf, size, random_below(*size + 1), other->data + from, count);
}

static void repeat(uint8_t *buf, size_t *size)
{
	uint8_t piece[256];
	size_t from = random_below(*size + 1);
	size_t left = *size - from;
	size_t count = random_below(
		(left < sizeof(piece) ? left : sizeof(piece) - 1) + 1);

	memcpy(piece, buf + from, count);
	for (size_t i = random_below(16); i > 0; i--) {
		insert(buf, size, from, piece, count);
	}
}

static void change(uint8_t *buf, size_t *size)
{
	size_t at = random_below(*size + 1);
	uint8_t byte = random_byte();

	switch (random_below(6)) {
	case 0:
		if (at < *size) {
			buf[at] ^= (uint8_t)(1U << random_below(8));
		}
		break;
	case 1:
		if (at < *size) {
			buf[at] = byte;
		}
		break;
	case 2:
		insert(buf, size, at, &byte, 1);
		break;
	case 3:
		erase(buf, size, at, random_below(*size - at + 1));
		break;
	case 4:
		splice(buf, size);
		break;
	default:
		repeat(buf, size);
		break;
	}
}

/* ---- running ------------------------------------------------------------ */

/* In memory of its exact size, so that a sanitizer sees a step too far. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	MUST(copy != NULL);
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_changed(void)
{
	static uint8_t buf[INPUT_SIZE_MAX];
	const struct input *input = &inputs[random_below(input_count)];
	size_t size = input->size;

	memcpy(buf, input->data, size);
	for (size_t i = random_below(CHANGES_MAX) + 1; i > 0; i--) {
		change(buf, &size);
	}
	run(buf, size);
}

static uint64_t new_seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
	uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : new_seed();

	if (argc < 2) {
		fprintf(stderr, "usage: %s DIR [RUNS [SEED]]\n", argv[0]);
		return 2;
	}
	read_corpus(argv[1]);
	printf("%zu inputs, %" PRIu64 " changed ones, seed %" PRIu64 "\n",
	       input_count, runs, seed);
	fflush(stdout);
	random_state = seed | 1;
	for (size_t i = 0; i < input_count; i++) {
		run(inputs[i].data, inputs[i].size);
	}
	for (uint64_t i = 0; i < runs; i++) {
		run_changed();
	}
	for (size_t i = 0; i < input_count; i++) {
		free(inputs[i].data);
	}
	return 0;
}
