#include "twopc/registry.h"

#include <string.h>

#include "loop/clock.h"
#include "twopc/bug.h"

struct twopc_entry {
	char id[TWOPC_ID_SIZE];
	enum twopc_standing standing; /* ABSENT: no longer in the table */
	int64_t since_ns;
	void *owner;	/* NULL: nobody's (any more) */
	bool confirmed; /* waits for take_confirmed() */
	struct twopc_entry *next_confirmed;
	struct twopc_entry *chain;	   /* of its bucket */
	struct twopc_entry *above, *below; /* in its list */
};

struct entry_list {
	struct twopc_entry *lowest, *highest;
};

struct twopc_registry {
	char stem[TWOPC_STEM_SIZE];
	uint64_t next; /* to be given out */
	size_t entries_max;
	size_t n;
	size_t by_standing[TWOPC_STANDING_NR];
	struct entry_list held;	 /* by id */
	struct entry_list owned; /* no longer held, but not released */
	struct twopc_entry *first_confirmed, *last_confirmed;
	struct twopc_entry **buckets;
	size_t buckets_n; /* a power of two */
};

enum { BUCKETS_AT_FIRST = 256 };

const char *twopc_standing_name(enum twopc_standing standing)
{
	static const char *const names[TWOPC_STANDING_NR] = {
#define TWOPC_STANDING_TEXT(symbol, name) [TWOPC_##symbol##_STANDING] = (name),
		TWOPC_STANDINGS(TWOPC_STANDING_TEXT)
#undef TWOPC_STANDING_TEXT
	};

	return (unsigned)standing < TWOPC_STANDING_NR ? names[standing] : "?";
}

/* ---- the table ---------------------------------------------------------- */

static void *zalloc(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (memory == NULL) {
		twopc_bug("out of memory");
	}
	return memory;
}

static struct twopc_entry **bucket_of(const struct twopc_registry *registry,
				      const char *id)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *id != '\0'; id++) {
		hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
	}
	return &registry->buckets[(hash ^ hash >> 32) &
				  (registry->buckets_n - 1)];
}

static void chain(struct twopc_registry *registry, struct twopc_entry *entry)
{
	struct twopc_entry **bucket = bucket_of(registry, entry->id);

	entry->chain = *bucket;
	*bucket = entry;
}

static void unchain(struct twopc_registry *registry, struct twopc_entry *entry)
{
	struct twopc_entry **at = bucket_of(registry, entry->id);

	while (*at != entry) {
		at = &(*at)->chain;
	}
	*at = entry->chain;
}

static struct twopc_entry *find(const struct twopc_registry *registry,
				const char *id)
{
	struct twopc_entry *entry = *bucket_of(registry, id);

	while (entry != NULL && strcmp(entry->id, id) != 0) {
		entry = entry->chain;
	}
	return entry;
}

static void grow(struct twopc_registry *registry)
{
	free(registry->buckets);
	registry->buckets_n *= 2;
	registry->buckets =
		zalloc(registry->buckets_n, sizeof(struct twopc_entry *));
	for (struct twopc_entry *entry = registry->held.lowest; entry != NULL;
	     entry = entry->above) {
		chain(registry, entry);
	}
}

/* The one door through which an entry comes to stand otherwise. */
static void stand(struct twopc_registry *registry, struct twopc_entry *entry,
		  enum twopc_standing standing)
{
	registry->by_standing[entry->standing]--;
	registry->by_standing[standing]++;
	entry->standing = standing;
}

/* ---- lists -------------------------------------------------------------- */

/* At the upper end. */
static void put(struct entry_list *list, struct twopc_entry *entry)
{
	entry->above = NULL;
	entry->below = list->highest;
	if (list->highest != NULL) {
		list->highest->above = entry;
	} else {
		list->lowest = entry;
	}
	list->highest = entry;
}

static void take(struct entry_list *list, struct twopc_entry *entry)
{
	if (entry->below != NULL) {
		entry->below->above = entry->above;
	} else {
		list->lowest = entry->above;
	}
	if (entry->above != NULL) {
		entry->above->below = entry->below;
	} else {
		list->highest = entry->below;
	}
}

/* Above all others. */
static struct twopc_entry *add(struct twopc_registry *registry, const char *id,
			       enum twopc_standing standing, int64_t now_ns)
{
	struct twopc_entry *entry = zalloc(1, sizeof(*entry));

	memcpy(entry->id, id, TWOPC_ID_SIZE);
	entry->since_ns = now_ns;
	put(&registry->held, entry);
	registry->by_standing[TWOPC_ABSENT_STANDING]++;
	stand(registry, entry, standing);
	registry->n++;
	if (registry->n > registry->buckets_n) {
		grow(registry);
	} else {
		chain(registry, entry);
	}
	return entry;
}

static void take_out(struct twopc_registry *registry, struct twopc_entry *entry)
{
	take(&registry->held, entry);
	unchain(registry, entry);
	stand(registry, entry, TWOPC_ABSENT_STANDING);
	registry->by_standing[TWOPC_ABSENT_STANDING]--;
	registry->n--;
	if (entry->owner == NULL) {
		free(entry);
	} else {
		put(&registry->owned, entry);
	}
}

/* ---- life --------------------------------------------------------------- */

struct twopc_registry *twopc_registry_new(const char *stem, size_t entries_max)
{
	struct twopc_registry *registry = zalloc(1, sizeof(*registry));

	if (strlen(stem) != TWOPC_STEM_SIZE - 1) {
		twopc_bug("'%s' is no stem", stem);
	}
	memcpy(registry->stem, stem, TWOPC_STEM_SIZE);
	registry->next = 1;
	registry->entries_max = entries_max;
	registry->buckets_n = BUCKETS_AT_FIRST;
	registry->buckets =
		zalloc(registry->buckets_n, sizeof(struct twopc_entry *));
	return registry;
}

static void free_all(struct entry_list *list)
{
	struct twopc_entry *entry;

	while ((entry = list->lowest) != NULL) {
		take(list, entry);
		free(entry);
	}
}

void twopc_registry_free(struct twopc_registry *registry)
{
	if (registry == NULL) {
		return;
	}
	free_all(&registry->held);
	free_all(&registry->owned);
	free(registry->buckets);
	free(registry);
}

static enum status_code check_room(const struct twopc_registry *registry,
				   struct status *reterr)
{
	if (registry->n < registry->entries_max) {
		return STATUS_OK;
	}
	return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
			  "%zu transactions are not over", registry->n);
}

/* ---- for exchanges ------------------------------------------------------ */

enum status_code twopc_registry_begin(struct twopc_registry *registry,
				      void *owner, int64_t now_ns,
				      struct twopc_entry **ret_entry,
				      struct status *reterr)
{
	enum status_code code = check_room(registry, reterr);
	char id[TWOPC_ID_SIZE];

	if (code != STATUS_OK) {
		return code;
	}
	twopc_id_format(registry->stem, registry->next++, id);
	*ret_entry = add(registry, id, TWOPC_LIVE_STANDING, now_ns);
	(*ret_entry)->owner = owner;
	return STATUS_OK;
}

const char *twopc_entry_id(const struct twopc_entry *entry)
{
	return entry->id;
}

static bool may_stand(enum twopc_standing from, enum twopc_standing to)
{
	switch (to) {
	case TWOPC_DECIDED_STANDING:
	case TWOPC_ABSENT_STANDING:
		return from == TWOPC_LIVE_STANDING;
	case TWOPC_ORPHANED_STANDING:
		return from == TWOPC_LIVE_STANDING ||
		       from == TWOPC_DECIDED_STANDING;
	case TWOPC_SETTLED_STANDING:
		return from == TWOPC_DECIDED_STANDING ||
		       from == TWOPC_ORPHANED_STANDING;
	case TWOPC_LIVE_STANDING:
	case TWOPC_LATER_STANDING:
	case TWOPC_STANDING_NR:
	default:
		return false;
	}
}

static enum twopc_standing marked(unsigned todo)
{
	switch (todo & TWOPC_MARKS) {
	case TWOPC_MARK_DECIDED:
		return TWOPC_DECIDED_STANDING;
	case TWOPC_MARK_ORPHANED:
		return TWOPC_ORPHANED_STANDING;
	case TWOPC_MARK_SETTLED:
		return TWOPC_SETTLED_STANDING;
	case TWOPC_MARK_GONE:
		return TWOPC_ABSENT_STANDING;
	default:
		twopc_bug("no update marks %#x", todo & TWOPC_MARKS);
	}
}

void twopc_registry_mark(struct twopc_registry *registry,
			 struct twopc_entry *entry, unsigned todo,
			 int64_t now_ns)
{
	enum twopc_standing to;

	if ((todo & TWOPC_MARKS) == 0) {
		return;
	}
	to = marked(todo);
	if (to == TWOPC_SETTLED_STANDING &&
	    (entry->standing == to ||
	     entry->standing == TWOPC_ABSENT_STANDING)) {
		return; /* the resolver has settled it */
	}
	if (!may_stand(entry->standing, to)) {
		twopc_bug("an entry that is %s is marked %s",
			  twopc_standing_name(entry->standing),
			  twopc_standing_name(to));
	}
	entry->since_ns = now_ns;
	if (to == TWOPC_ABSENT_STANDING) {
		take_out(registry, entry);
	} else {
		stand(registry, entry, to);
	}
}

/* Its owner need not be told any more. */
static void drop_confirmed(struct twopc_registry *registry,
			   struct twopc_entry *entry)
{
	struct twopc_entry *before = NULL;

	for (struct twopc_entry *at = registry->first_confirmed; at != entry;
	     at = at->next_confirmed) {
		before = at;
	}
	if (before != NULL) {
		before->next_confirmed = entry->next_confirmed;
	} else {
		registry->first_confirmed = entry->next_confirmed;
	}
	if (registry->last_confirmed == entry) {
		registry->last_confirmed = before;
	}
	entry->confirmed = false;
}

void twopc_registry_release(struct twopc_registry *registry,
			    struct twopc_entry *entry)
{
	if (entry->confirmed) {
		drop_confirmed(registry, entry);
	}
	entry->owner = NULL;
	if (entry->standing == TWOPC_LIVE_STANDING) {
		take_out(registry, entry);
	} else if (entry->standing == TWOPC_ABSENT_STANDING) {
		take(&registry->owned, entry);
		free(entry);
	}
}

/* ---- for the start ------------------------------------------------------ */

enum status_code twopc_registry_load(struct twopc_registry *registry,
				     const char *id, int64_t now_ns,
				     struct status *reterr)
{
	enum status_code code = check_room(registry, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	if (strlen(id) != TWOPC_ID_SIZE - 1 || twopc_stem_ms(id) == 0 ||
	    strncmp(id, registry->stem, TWOPC_STEM_SIZE - 1) >= 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' can't be a transaction of an earlier "
				  "start",
				  id);
	}
	if (registry->held.highest != NULL &&
	    strcmp(id, registry->held.highest->id) <= 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "transaction %s comes after %s", id,
				  registry->held.highest->id);
	}
	(void)add(registry, id, TWOPC_ORPHANED_STANDING, now_ns);
	return STATUS_OK;
}

/* ---- for the resolver --------------------------------------------------- */

enum twopc_standing twopc_registry_look(const struct twopc_registry *registry,
					const char *id)
{
	const struct twopc_entry *entry = find(registry, id);
	char next[TWOPC_ID_SIZE];

	if (entry != NULL) {
		return entry->standing;
	}
	twopc_id_format(registry->stem, registry->next, next);
	return strcmp(id, next) < 0 ? TWOPC_ABSENT_STANDING
				    : TWOPC_LATER_STANDING;
}

size_t twopc_registry_count(const struct twopc_registry *registry,
			    enum twopc_standing standing)
{
	return registry->by_standing[standing];
}

void twopc_registry_low(const struct twopc_registry *registry,
			char ret_id[TWOPC_ID_SIZE])
{
	if (registry->held.lowest != NULL) {
		memcpy(ret_id, registry->held.lowest->id, TWOPC_ID_SIZE);
	} else {
		twopc_id_format(registry->stem, registry->next, ret_id);
	}
}

/* The first above @after, which may itself not be there any more. */
static const struct twopc_entry *
first_above(const struct twopc_registry *registry, const char *after)
{
	const struct twopc_entry *entry = find(registry, after);

	if (entry != NULL) {
		return entry->above;
	}
	entry = registry->held.lowest;
	while (entry != NULL && strcmp(entry->id, after) <= 0) {
		entry = entry->above;
	}
	return entry;
}

size_t twopc_registry_collect(const struct twopc_registry *registry,
			      enum twopc_standing standing, const char *after,
			      struct twopc_item *ret_items, size_t items_max)
{
	const struct twopc_entry *entry;
	size_t n = 0;

	if (registry->by_standing[standing] == 0) {
		return 0;
	}
	entry = first_above(registry, after);
	for (; entry != NULL && n < items_max; entry = entry->above) {
		if (entry->standing == standing) {
			memcpy(ret_items[n].id, entry->id, TWOPC_ID_SIZE);
			n++;
		}
	}
	return n;
}

void twopc_registry_settle(struct twopc_registry *registry, const char *id)
{
	struct twopc_entry *entry = find(registry, id);

	if (entry == NULL || entry->standing != TWOPC_ORPHANED_STANDING) {
		return;
	}
	stand(registry, entry, TWOPC_SETTLED_STANDING);
	if (entry->owner == NULL) {
		return;
	}
	entry->confirmed = true;
	entry->next_confirmed = NULL;
	if (registry->last_confirmed != NULL) {
		registry->last_confirmed->next_confirmed = entry;
	} else {
		registry->first_confirmed = entry;
	}
	registry->last_confirmed = entry;
}

void twopc_registry_forget(struct twopc_registry *registry, const char *id)
{
	struct twopc_entry *entry = find(registry, id);

	if (entry != NULL && entry->standing == TWOPC_SETTLED_STANDING) {
		take_out(registry, entry);
	}
}

void *twopc_registry_take_confirmed(struct twopc_registry *registry)
{
	struct twopc_entry *entry = registry->first_confirmed;

	if (entry == NULL) {
		return NULL;
	}
	drop_confirmed(registry, entry);
	return entry->owner;
}

/* ---- for people --------------------------------------------------------- */

void twopc_registry_stats(const struct twopc_registry *registry,
			  struct twopc_registry_stats *ret_stats)
{
	ret_stats->oldest_ns = CLOCK_NEVER;
	memcpy(ret_stats->by_standing, registry->by_standing,
	       sizeof(ret_stats->by_standing));
	if (registry->by_standing[TWOPC_DECIDED_STANDING] == 0 &&
	    registry->by_standing[TWOPC_ORPHANED_STANDING] == 0) {
		return;
	}
	for (const struct twopc_entry *entry = registry->held.lowest;
	     entry != NULL; entry = entry->above) {
		bool in_doubt = entry->standing == TWOPC_DECIDED_STANDING ||
				entry->standing == TWOPC_ORPHANED_STANDING;

		if (in_doubt && entry->since_ns < ret_stats->oldest_ns) {
			ret_stats->oldest_ns = entry->since_ns;
		}
	}
}

size_t twopc_registry_page(const struct twopc_registry *registry,
			   const char *after, struct twopc_view *ret_views,
			   size_t n)
{
	const struct twopc_entry *entry = first_above(registry, after);
	size_t at = 0;

	for (; entry != NULL && at < n; entry = entry->above, at++) {
		memcpy(ret_views[at].id, entry->id, TWOPC_ID_SIZE);
		ret_views[at].standing = entry->standing;
		ret_views[at].since_ns = entry->since_ns;
	}
	return at;
}
