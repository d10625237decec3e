#include "unsynced.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, BUCKETS = 1024 };

struct page {
	struct page *next; /* of its bucket */
	int64_t number;
	bool dirty; /* to be written at the next sync; else lost */
	unsigned char bytes[PAGE];
};

struct unsynced {
	struct unsynced *next;
	char *path;
	int users;
	bool deleted;

	pthread_mutex_t lock; /* what follows */
	/* Whether anything is kept from the file; else it says all. */
	bool holds;
	int64_t size;
	/* What the file says is true below this, save for the pages here. */
	int64_t valid;
	bool cut; /* it was shortened */
	struct page *pages[BUCKETS];
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static struct unsynced *files;

static void *allocate(size_t size)
{
	void *at = calloc(1, size);

	if (at == NULL) {
		abort();
	}
	return at;
}

/* ---- chance ------------------------------------------------------------- */

static pthread_mutex_t chance_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t chance; /* 0: none */

void unsynced_seed(uint64_t seed)
{
	pthread_mutex_lock(&chance_lock);
	chance = seed;
	pthread_mutex_unlock(&chance_lock);
}

/* splitmix64 */
static uint64_t next_random(void)
{
	uint64_t z = chance += 0x9E3779B97F4A7C15;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
	z = (z ^ z >> 27) * 0x94D049BB133111EB;
	return z ^ z >> 31;
}

/* Of a quarter of the writes all, of half of them some sectors. */
enum luck { NOTHING, ALL, SOME };

static enum luck draw_luck(void)
{
	enum luck luck = NOTHING;

	pthread_mutex_lock(&chance_lock);
	if (chance != 0) {
		uint64_t drawn = next_random() % 4;

		luck = drawn == 0 ? NOTHING : drawn == 1 ? ALL : SOME;
	}
	pthread_mutex_unlock(&chance_lock);
	return luck;
}

static bool draw_sector(enum luck luck)
{
	bool written = luck == ALL;

	if (luck == SOME) {
		pthread_mutex_lock(&chance_lock);
		written = next_random() % 2 == 0;
		pthread_mutex_unlock(&chance_lock);
	}
	return written;
}

/* What a disk may do before it is told to sync. */
static int write_some(sqlite3_file *real, const unsigned char *from, int n,
		      int64_t at)
{
	enum luck luck = draw_luck();
	int rc = SQLITE_OK;

	while (luck != NOTHING && n > 0 && rc == SQLITE_OK) {
		int part = SECTOR - (int)(at % SECTOR);

		if (part > n) {
			part = n;
		}
		if (draw_sector(luck)) {
			rc = real->pMethods->xWrite(real, from, part, at);
		}
		from += part;
		at += part;
		n -= part;
	}
	return rc;
}

/* ---- pages -------------------------------------------------------------- */

static struct page **bucket_of(struct unsynced *file, int64_t number)
{
	return &file->pages[(uint64_t)number % BUCKETS];
}

static struct page *page_find(struct unsynced *file, int64_t number)
{
	struct page *page = *bucket_of(file, number);

	while (page != NULL && page->number != number) {
		page = page->next;
	}
	return page;
}

/* Bytes of what the file itself has to say; the rest are zeros. */
static int read_valid(struct unsynced *file, sqlite3_file *real, void *to,
		      int n, int64_t at)
{
	int64_t left = file->valid - at;
	int part = left <= 0 ? 0 : left < n ? (int)left : n;
	int rc = SQLITE_OK;

	memset(to, 0, (size_t)n);
	if (part > 0) {
		rc = real->pMethods->xRead(real, to, part, at);
	}
	/* Shorter than it was told to be: another process made it so. */
	return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
}

/* The page, filled from the file where it is not here yet. */
static int page_take(struct unsynced *file, sqlite3_file *real, int64_t number,
		     struct page **ret_page)
{
	struct page *page = page_find(file, number);
	struct page **bucket = bucket_of(file, number);
	int rc;

	if (page == NULL) {
		page = allocate(sizeof(*page));
		page->number = number;
		rc = read_valid(file, real, page->bytes, PAGE, number * PAGE);
		if (rc != SQLITE_OK) {
			free(page);
			return rc;
		}
		page->next = *bucket;
		*bucket = page;
	}
	*ret_page = page;
	return SQLITE_OK;
}

/* Call @fn for each page, which goes where the answer is false. */
static void keep_pages(struct unsynced *file,
		       bool (*fn)(struct page *page, int64_t size),
		       int64_t size)
{
	for (int i = 0; i < BUCKETS; i++) {
		struct page **at = &file->pages[i];

		while (*at != NULL) {
			struct page *page = *at;

			if (fn(page, size)) {
				at = &page->next;
			} else {
				*at = page->next;
				free(page);
			}
		}
	}
}

static bool is_lost(struct page *page, int64_t size)
{
	(void)size;
	return !page->dirty;
}

static bool lose(struct page *page, int64_t size)
{
	(void)size;
	page->dirty = false;
	return true;
}

static bool is_none(struct page *page, int64_t size)
{
	(void)page;
	(void)size;
	return false;
}

/* What is behind the new end is zeros, should it move back. */
static bool cut_off(struct page *page, int64_t size)
{
	int64_t left = size - page->number * PAGE;

	if (left > 0 && left < PAGE) {
		memset(page->bytes + left, 0, (size_t)(PAGE - left));
	}
	return left > 0;
}

static bool has_pages(const struct unsynced *file)
{
	for (int i = 0; i < BUCKETS; i++) {
		if (file->pages[i] != NULL) {
			return true;
		}
	}
	return false;
}

/* ---- files -------------------------------------------------------------- */

static struct unsynced *file_find(const char *path)
{
	struct unsynced *file = files;

	while (file != NULL && strcmp(file->path, path) != 0) {
		file = file->next;
	}
	return file;
}

static void file_unlist(struct unsynced *file)
{
	struct unsynced **at = &files;

	while (*at != file) {
		at = &(*at)->next;
	}
	*at = file->next;
}

static void file_free(struct unsynced *file)
{
	keep_pages(file, is_none, 0);
	pthread_mutex_destroy(&file->lock);
	free(file->path);
	free(file);
}

struct unsynced *unsynced_get(const char *path)
{
	struct unsynced *file;

	pthread_mutex_lock(&files_lock);
	file = file_find(path);
	if (file == NULL) {
		file = allocate(sizeof(*file));
		file->path = strdup(path);
		if (file->path == NULL) {
			abort();
		}
		pthread_mutex_init(&file->lock, NULL);
		file->next = files;
		files = file;
	}
	file->users++;
	pthread_mutex_unlock(&files_lock);
	return file;
}

/* What it holds outlives those who wrote it. */
void unsynced_put(struct unsynced *file)
{
	pthread_mutex_lock(&files_lock);
	file->users--;
	if (file->users == 0 && file->deleted) {
		file_free(file);
	} else if (file->users == 0 && !file->holds) {
		file_unlist(file);
		file_free(file);
	}
	pthread_mutex_unlock(&files_lock);
}

void unsynced_delete(const char *path)
{
	struct unsynced *file;

	pthread_mutex_lock(&files_lock);
	file = file_find(path);
	if (file != NULL) {
		file_unlist(file);
		file->deleted = true;
		if (file->users == 0) {
			file_free(file);
		}
	}
	pthread_mutex_unlock(&files_lock);
}

bool unsynced_find(const char *path, int64_t *ret_size)
{
	struct unsynced *file;
	bool holds = false;

	pthread_mutex_lock(&files_lock);
	file = file_find(path);
	if (file != NULL) {
		pthread_mutex_lock(&file->lock);
		holds = file->holds;
		*ret_size = file->size;
		pthread_mutex_unlock(&file->lock);
	}
	pthread_mutex_unlock(&files_lock);
	return holds;
}

/* ---- writing ------------------------------------------------------------ */

static int begin_to_hold(struct unsynced *file, sqlite3_file *real)
{
	sqlite3_int64 size;
	int rc = SQLITE_OK;

	if (!file->holds) {
		rc = real->pMethods->xFileSize(real, &size);
		if (rc == SQLITE_OK) {
			file->size = size;
			file->valid = size;
			file->cut = false;
			file->holds = true;
		}
	}
	return rc;
}

static int hold(struct unsynced *file, sqlite3_file *real,
		const unsigned char *from, int n, int64_t at)
{
	int rc = begin_to_hold(file, real);

	while (n > 0 && rc == SQLITE_OK) {
		int begin = (int)(at % PAGE);
		int part = n < PAGE - begin ? n : PAGE - begin;
		struct page *page;

		rc = page_take(file, real, at / PAGE, &page);
		if (rc == SQLITE_OK) {
			memcpy(page->bytes + begin, from, (size_t)part);
			page->dirty = true;
			at += part;
			from += part;
			n -= part;
			file->size = at > file->size ? at : file->size;
		}
	}
	return rc;
}

int unsynced_write(struct unsynced *file, sqlite3_file *real, const void *from,
		   int n, int64_t at)
{
	int rc;

	pthread_mutex_lock(&file->lock);
	rc = hold(file, real, from, n, at);
	if (rc == SQLITE_OK) {
		rc = write_some(real, from, n, at);
	}
	pthread_mutex_unlock(&file->lock);
	return rc;
}

static void shorten(struct unsynced *file, int64_t size)
{
	keep_pages(file, cut_off, size);
	file->valid = size < file->valid ? size : file->valid;
	file->cut = true;
}

int unsynced_truncate(struct unsynced *file, sqlite3_file *real, int64_t size)
{
	int rc;

	pthread_mutex_lock(&file->lock);
	rc = begin_to_hold(file, real);
	if (rc == SQLITE_OK) {
		if (size < file->size) {
			shorten(file, size);
		}
		file->size = size;
		if (draw_sector(draw_luck())) {
			rc = real->pMethods->xTruncate(real, size);
		}
	}
	pthread_mutex_unlock(&file->lock);
	return rc;
}

/* ---- reading ------------------------------------------------------------ */

static int read_part(struct unsynced *file, sqlite3_file *real, void *to, int n,
		     int64_t at)
{
	const struct page *page = page_find(file, at / PAGE);

	if (page == NULL) {
		return read_valid(file, real, to, n, at);
	}
	memcpy(to, page->bytes + at % PAGE, (size_t)n);
	return SQLITE_OK;
}

static int read_held(struct unsynced *file, sqlite3_file *real,
		     unsigned char *to, int n, int64_t at)
{
	int64_t left = file->size - at;
	int there = left <= 0 ? 0 : left < n ? (int)left : n;
	int rc = SQLITE_OK;

	memset(to + there, 0, (size_t)(n - there));
	for (int done = 0; done < there && rc == SQLITE_OK;) {
		int part = PAGE - (int)((at + done) % PAGE);

		if (part > there - done) {
			part = there - done;
		}
		rc = read_part(file, real, to + done, part, at + done);
		done += part;
	}
	return rc == SQLITE_OK && there < n ? SQLITE_IOERR_SHORT_READ : rc;
}

int unsynced_read(struct unsynced *file, sqlite3_file *real, void *to, int n,
		  int64_t at)
{
	int rc;

	pthread_mutex_lock(&file->lock);
	rc = file->holds ? read_held(file, real, to, n, at)
			 : real->pMethods->xRead(real, to, n, at);
	pthread_mutex_unlock(&file->lock);
	return rc;
}

int unsynced_size(struct unsynced *file, sqlite3_file *real, int64_t *ret_size)
{
	sqlite3_int64 size;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&file->lock);
	size = file->size;
	if (!file->holds) {
		rc = real->pMethods->xFileSize(real, &size);
	}
	pthread_mutex_unlock(&file->lock);
	*ret_size = size;
	return rc;
}

/* ---- syncing ------------------------------------------------------------ */

static int write_page(const struct unsynced *file, sqlite3_file *real,
		      const struct page *page)
{
	int64_t at = page->number * PAGE;
	int64_t left = file->size - at;

	if (!page->dirty || left <= 0) {
		return SQLITE_OK;
	}
	return real->pMethods->xWrite(real, page->bytes,
				      left < PAGE ? (int)left : PAGE, at);
}

static int write_pages(struct unsynced *file, sqlite3_file *real)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < BUCKETS; i++) {
		const struct page *page = file->pages[i];

		for (; page != NULL && rc == SQLITE_OK; page = page->next) {
			rc = write_page(file, real, page);
		}
	}
	return rc;
}

/* What it has beyond is older than the cut, or got there by chance. */
static int cut_file(struct unsynced *file, sqlite3_file *real)
{
	sqlite3_int64 size;
	int rc = real->pMethods->xFileSize(real, &size);

	if (rc == SQLITE_OK && file->cut && size > file->valid) {
		rc = real->pMethods->xTruncate(real, file->valid);
	}
	return rc;
}

static int stretch_file(struct unsynced *file, sqlite3_file *real)
{
	sqlite3_int64 size;
	int rc = real->pMethods->xFileSize(real, &size);

	if (rc == SQLITE_OK && size < file->size) {
		rc = real->pMethods->xTruncate(real, file->size);
	}
	return rc;
}

static int write_back(struct unsynced *file, sqlite3_file *real)
{
	int rc = cut_file(file, real);

	if (rc == SQLITE_OK) {
		rc = write_pages(file, real);
	}
	return rc == SQLITE_OK ? stretch_file(file, real) : rc;
}

/* It has all now but for what is lost. */
static void let_go(struct unsynced *file)
{
	keep_pages(file, is_lost, 0);
	file->valid = file->size;
	file->cut = false;
	file->holds = has_pages(file);
}

int unsynced_sync(struct unsynced *file, sqlite3_file *real, int flags)
{
	int rc;

	pthread_mutex_lock(&file->lock);
	rc = file->holds ? write_back(file, real) : SQLITE_OK;
	if (rc == SQLITE_OK) {
		rc = real->pMethods->xSync(real, flags);
	}
	if (rc == SQLITE_OK && file->holds) {
		let_go(file);
	}
	pthread_mutex_unlock(&file->lock);
	return rc;
}

void unsynced_lose(struct unsynced *file)
{
	pthread_mutex_lock(&file->lock);
	keep_pages(file, lose, 0);
	pthread_mutex_unlock(&file->lock);
}

/* ---- the end ------------------------------------------------------------ */

static void write_out_page(int fd, const struct unsynced *file,
			   const struct page *page)
{
	int64_t at = page->number * PAGE;
	int64_t left = file->size - at;

	if (page->dirty && left > 0 &&
	    pwrite(fd, page->bytes, (size_t)(left < PAGE ? left : PAGE), at) <
		    0) {
		perror(file->path);
	}
}

/* Closing it drops all locks on it: there is nobody left to mind. */
static void write_out(const struct unsynced *file)
{
	int fd = open(file->path, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		if (errno != ENOENT) { /* somebody removed it: so be it */
			perror(file->path);
		}
		return;
	}
	if (file->cut && ftruncate(fd, file->valid) != 0) {
		perror(file->path);
	}
	for (int i = 0; i < BUCKETS; i++) {
		const struct page *page = file->pages[i];

		for (; page != NULL; page = page->next) {
			write_out_page(fd, file, page);
		}
	}
	if (ftruncate(fd, file->size) != 0) {
		perror(file->path);
	}
	(void)close(fd);
}

void unsynced_write_out(void)
{
	pthread_mutex_lock(&files_lock);
	while (files != NULL) {
		struct unsynced *file = files;

		if (file->holds) {
			write_out(file);
		}
		file_unlist(file);
		file->deleted = true;
		if (file->users == 0) {
			file_free(file);
		}
	}
	pthread_mutex_unlock(&files_lock);
}
