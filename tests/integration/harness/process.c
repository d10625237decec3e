#include "harness/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ARGUMENTS_MAX = 64,
	ENVIRONMENT_MAX = 256,
	/* Bytes of the log's end in a failure: check takes 4 KB at most. */
	LOG_SHOWN = 3000,
};

extern char **environ;

/* ---- starting ------------------------------------------------------------ */

/* A definite leak is an error, as is a use of what is freed or not set. */
static const char *const valgrind_arguments[] = {
	"valgrind",
	"--quiet",
	"--error-exitcode=99",
	"--leak-check=full",
	"--show-leak-kinds=definite",
	"--errors-for-leak-kinds=definite",
	"--suppressions=" RESCIND_VALGRIND_SUPPRESSIONS,
	NULL,
};

/* Means nothing to a program without the leak sanitizer. */
static const char *const sanitizer_environment[] = {
	"LSAN_OPTIONS=suppressions=" RESCIND_LSAN_SUPPRESSIONS
	":print_suppressions=0",
	NULL,
};

struct command {
	char program[PATH_SIZE];
	const char *argv[ARGUMENTS_MAX];
	const char *envp[ENVIRONMENT_MAX];
};

static void append(const char **list, size_t list_max, const char *const *more)
{
	size_t n = 0;

	while (list[n] != NULL) {
		n++;
	}
	for (; *more != NULL; more++) {
		ck_assert_uint_lt(n + 1, list_max);
		list[n++] = *more;
		list[n] = NULL;
	}
}

void program_path(char ret_path[PATH_SIZE], const char *program)
{
	snprintf(ret_path, PATH_SIZE, RESCIND_PROGRAMS "/%s", program);
}

static void command_fill(struct command *command, const char *program,
			 const char *const *arguments,
			 const struct process_options *options)
{
	const char *const *environment = options != NULL ? options->env : NULL;
	bool faulty = options != NULL && options->faulty;
	bool ours = strchr(program, '/') == NULL;

	command->argv[0] = NULL;
	command->envp[0] = NULL;
	if (ours && faulty) {
		snprintf(command->program, PATH_SIZE,
			 RESCIND_FAULTY_PROGRAMS "/%s", program);
	} else if (ours) {
		program_path(command->program, program);
	} else {
		snprintf(command->program, PATH_SIZE, "%s", program);
	}
	if (ours && is_under_valgrind()) {
		append(command->argv, ARGUMENTS_MAX, valgrind_arguments);
	}
	append(command->argv, ARGUMENTS_MAX,
	       (const char *const[]){ command->program, NULL });
	append(command->argv, ARGUMENTS_MAX, arguments);
	if (environment != NULL) {
		append(command->envp, ENVIRONMENT_MAX, environment);
	}
	append(command->envp, ENVIRONMENT_MAX, sanitizer_environment);
	append(command->envp, ENVIRONMENT_MAX, (const char *const *)environ);
}

/* exec changes nothing of them, though its prototype does not say so. */
static char *const *for_exec(const char *const *list)
{
	union {
		const char *const *list;
		char *const *exec;
	} both = { list };

	return both.exec;
}

/*
 * In the child: other threads may have held locks, check's own among them, so
 * system calls only.
 */
static void limit(int what, unsigned long value)
{
	struct rlimit both = { value, value };

	if (value == 0) {
		return;
	}
	if (what == (int)RLIMIT_FSIZE) {
		both.rlim_max = RLIM_INFINITY;
	}
	if (setrlimit((__rlimit_resource_t)what, &both) != 0) {
		_exit(126);
	}
}

/* By a descriptor from before: another user may not search its folders. */
static void execute(const struct command *command, int program)
{
	char *const *argv = for_exec(command->argv);
	char *const *envp = for_exec(command->envp);

	if (program >= 0) {
		syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
	} else {
		execvpe(command->argv[0], argv, envp);
	}
	_exit(127);
}

/* The terminal's other end becomes stdin, and this process its leader's. */
static void lead_terminal(int out)
{
	dup2(out, STDIN_FILENO);
	setsid();
	if (ioctl(out, TIOCSCTTY, 0) != 0) {
		_exit(126);
	}
}

static void redirect_stdout(const char *path)
{
	int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (file < 0 || dup2(file, STDOUT_FILENO) < 0) {
		_exit(126);
	}
}

static void run_child(const struct command *command,
		      const struct process_options *options, pid_t parent,
		      int out)
{
	sigset_t none;
	int program = -1;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) {
		_exit(126);
	}
	null = open("/dev/null", O_RDONLY);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (options != NULL && options->terminal_columns != 0) {
		lead_terminal(out);
	}
	if (options != NULL && options->stdout_path != NULL) {
		redirect_stdout(options->stdout_path);
	}
	syscall(SYS_close_range, 3U, ~0U, 0U);
	if (strchr(command->argv[0], '/') != NULL) {
		program = open(command->argv[0], O_PATH | O_CLOEXEC);
	}
	if (options != NULL) {
		limit(RLIMIT_NOFILE, options->descriptors_max);
		limit(RLIMIT_FSIZE, options->file_size_max);
		if (options->uid != 0 &&
		    (setgid(options->uid) != 0 || setuid(options->uid) != 0)) {
			_exit(126);
		}
		/* A change of user takes it away. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	execute(command, program);
}

static void *read_log(void *arg);

/* What it writes to ends[1] is read from ends[0]. */
static void open_terminal(int ends[2], unsigned short columns)
{
	const struct winsize size = { .ws_row = 24, .ws_col = columns };
	char name[64];

	ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(ends[0], 0);
	ck_assert_int_eq(grantpt(ends[0]), 0);
	ck_assert_int_eq(unlockpt(ends[0]), 0);
	ck_assert_int_eq(ptsname_r(ends[0], name, sizeof(name)), 0);
	ends[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(ends[1], 0);
	ck_assert_int_eq(ioctl(ends[1], TIOCSWINSZ, &size), 0);
}

static void open_ends(int ends[2], const struct process_options *options)
{
	if (options != NULL && options->terminal_columns != 0) {
		open_terminal(ends, options->terminal_columns);
	} else {
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	}
}

void process_start(struct process *process, const char *program,
		   const struct process_options *options,
		   const char *const *arguments)
{
	const char *slash = strrchr(program, '/');
	struct command command;
	pid_t parent = getpid();
	int ends[2];

	command_fill(&command, program, arguments, options);
	memset(process, 0, sizeof(*process));
	snprintf(process->name, sizeof(process->name), "%s",
		 slash != NULL ? slash + 1 : program);
	open_ends(ends, options);
	process->pid = fork();
	if (process->pid == 0) {
		run_child(&command, options, parent, ends[1]);
	}
	ck_assert_int_gt(process->pid, 0);
	close(ends[1]);
	process->fd = ends[0];
	pthread_mutex_init(&process->lock, NULL);
	pthread_cond_init(&process->changed, NULL);
	ck_assert_int_eq(
		pthread_create(&process->reader, NULL, read_log, process), 0);
}

/* ---- its log ------------------------------------------------------------- */

static bool grow(struct process *process, size_t more)
{
	size_t capacity = process->capacity != 0 ? process->capacity : 65536;
	char *log;

	while (capacity - process->size <= more) {
		capacity *= 2;
	}
	if (capacity == process->capacity) {
		return true;
	}
	log = realloc(process->log, capacity);
	if (log == NULL) {
		return false;
	}
	process->log = log;
	process->capacity = capacity;
	return true;
}

static void *read_log(void *arg)
{
	struct process *process = arg;
	char chunk[65536];
	ssize_t n = 1;

	while (n > 0) {
		n = read(process->fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		pthread_mutex_lock(&process->lock);
		if (n > 0 && grow(process, (size_t)n)) {
			memcpy(process->log + process->size, chunk, (size_t)n);
			process->size += (size_t)n;
			process->log[process->size] = '\0';
		}
		process->closed = n <= 0;
		pthread_cond_broadcast(&process->changed);
		pthread_mutex_unlock(&process->lock);
	}
	return NULL;
}

/* What a line must have: both texts, the first followed by its end of word. */
struct sought {
	const char *a;
	const char *b;
	bool word; /* @b follows @a at once, and a space or the end follows it
		    */
};

static bool line_has(const char *line, size_t size, const struct sought *sought)
{
	const char *a = memmem(line, size, sought->a, strlen(sought->a));
	size_t b_size = sought->b != NULL ? strlen(sought->b) : 0;
	const char *at;

	if (a == NULL || sought->b == NULL) {
		return a != NULL;
	}
	if (!sought->word) {
		return memmem(line, size, sought->b, b_size) != NULL;
	}
	at = a + strlen(sought->a);
	return (size_t)(line + size - at) >= b_size &&
	       memcmp(at, sought->b, b_size) == 0 &&
	       (at + b_size == line + size || at[b_size] == ' ');
}

/* Count lines from *offset on, which moves behind the last whole one. */
static size_t count_lines(struct process *process, size_t *offset,
			  const struct sought *sought)
{
	size_t found = 0;

	while (*offset < process->size) {
		const char *line = process->log + *offset;
		const char *end = memchr(line, '\n', process->size - *offset);

		if (end == NULL) {
			break;
		}
		found += line_has(line, (size_t)(end - line), sought);
		*offset += (size_t)(end - line) + 1;
	}
	return found;
}

static struct timespec patience_end(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += PATIENCE_MS / 1000;
	return ts;
}

static bool await(struct process *process, const struct sought *sought)
{
	struct timespec end = patience_end();
	size_t offset = 0;
	bool found;
	int rc = 0;

	pthread_mutex_lock(&process->lock);
	for (;;) {
		found = count_lines(process, &offset, sought) > 0;
		if (found || process->closed || rc == ETIMEDOUT) {
			break;
		}
		rc = pthread_cond_timedwait(&process->changed, &process->lock,
					    &end);
	}
	pthread_mutex_unlock(&process->lock);
	return found;
}

const char *process_tail(struct process *process)
{
	static _Thread_local char tail[LOG_SHOWN + 1];

	pthread_mutex_lock(&process->lock);
	snprintf(tail, sizeof(tail), "%s",
		 process->size > LOG_SHOWN
			 ? process->log + process->size - LOG_SHOWN
			 : (process->log != NULL ? process->log : ""));
	pthread_mutex_unlock(&process->lock);
	return tail;
}

static void abort_missing(struct process *process, const struct sought *sought)
{
	ck_abort_msg("%s (pid %d) does not say \"%s%s%s\". Its log ends:\n%s",
		     process->name, (int)process->pid, sought->a,
		     sought->word ? "" : "\", \"",
		     sought->b != NULL ? sought->b : "", process_tail(process));
}

bool process_says(struct process *process, const char *a, const char *b)
{
	return await(process, &(struct sought){ a, b, false });
}

void process_await(struct process *process, const char *a, const char *b)
{
	const struct sought sought = { a, b, false };

	if (!await(process, &sought)) {
		abort_missing(process, &sought);
	}
}

static bool await_text(struct process *process, const char *text)
{
	struct timespec end = patience_end();
	bool found;
	int rc = 0;

	pthread_mutex_lock(&process->lock);
	for (;;) {
		found = process->size > 0 && memmem(process->log, process->size,
						    text, strlen(text)) != NULL;
		if (found || process->closed || rc == ETIMEDOUT) {
			break;
		}
		rc = pthread_cond_timedwait(&process->changed, &process->lock,
					    &end);
	}
	pthread_mutex_unlock(&process->lock);
	return found;
}

void process_await_text(struct process *process, const char *text)
{
	if (!await_text(process, text)) {
		abort_missing(process, &(struct sought){ text, NULL, false });
	}
}

void process_await_id(struct process *process, const char *mark, const char *id)
{
	const struct sought sought = { mark, id, true };

	if (!await(process, &sought)) {
		abort_missing(process, &sought);
	}
}

static size_t count(struct process *process, const struct sought *sought)
{
	size_t offset = 0;
	size_t n;

	pthread_mutex_lock(&process->lock);
	n = count_lines(process, &offset, sought);
	pthread_mutex_unlock(&process->lock);
	return n;
}

size_t process_count(struct process *process, const char *a, const char *b)
{
	return count(process, &(struct sought){ a, b, false });
}

bool process_has_id(struct process *process, const char *mark, const char *id)
{
	return count(process, &(struct sought){ mark, id, true }) > 0;
}

void process_each_line(struct process *process,
		       void (*fn)(const char *line, size_t size, void *arg),
		       void *arg)
{
	size_t offset = 0;

	pthread_mutex_lock(&process->lock);
	while (offset < process->size) {
		const char *line = process->log + offset;
		const char *end = memchr(line, '\n', process->size - offset);

		if (end == NULL) {
			break;
		}
		fn(line, (size_t)(end - line), arg);
		offset += (size_t)(end - line) + 1;
	}
	pthread_mutex_unlock(&process->lock);
}

/* Where the lines in question are looked for. */
struct order_search {
	const struct process_line *lines;
	size_t n;
	size_t at; /* the next that has not been found */
};

static void look_at_line(const char *line, size_t size, void *arg)
{
	struct order_search *search = arg;
	const struct process_line *wanted = &search->lines[search->at];

	if (search->at < search->n &&
	    line_has(line, size,
		     &(struct sought){ wanted->a, wanted->b, false })) {
		search->at++;
	}
}

void process_expect_order(struct process *process,
			  const struct process_line *lines, size_t n)
{
	struct order_search search = { lines, n, 0 };

	process_each_line(process, look_at_line, &search);
	if (search.at < n) {
		abort_missing(process,
			      &(struct sought){ lines[search.at].a,
						lines[search.at].b, false });
	}
}

struct port_search {
	const char *mark;
	int port;
};

static void find_port(const char *line, size_t size, void *arg)
{
	struct port_search *search = arg;
	size_t mark_size = strlen(search->mark);
	const char *at = memmem(line, size, search->mark, mark_size);

	if (at != NULL && search->port == 0) {
		search->port = atoi(at + mark_size);
	}
}

int process_port(struct process *process, const char *name)
{
	char mark[64];
	struct port_search search = { mark, 0 };

	snprintf(mark, sizeof(mark), " %s=", name);
	process_await(process, "Ready", mark);
	process_each_line(process, find_port, &search);
	ck_assert_int_gt(search.port, 0);
	return search.port;
}

/* ---- its life ------------------------------------------------------------ */

void process_signal(struct process *process, int signal_no)
{
	ck_assert_int_eq(kill(process->pid, signal_no), 0);
}

static char state_of(pid_t pid)
{
	char path[64];
	char line[512] = "";
	const char *at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (file == NULL) {
		return 'X';
	}
	(void)!fgets(line, sizeof(line), file);
	fclose(file);
	at = strrchr(line, ')');
	return at != NULL ? at[2] : 'X';
}

void process_await_stop(struct process *process)
{
	UNTIL(state_of(process->pid) == 'T');
}

void process_pause(struct process *process)
{
	process_signal(process, SIGSTOP);
	process_await_stop(process);
}

void process_resume(struct process *process)
{
	process_signal(process, SIGCONT);
}

bool process_ends(struct process *process)
{
	struct pollfd pfd = { .events = POLLIN };
	int n;

	if (process->reaped) {
		return true;
	}
	pfd.fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	ck_assert_int_ge(pfd.fd, 0);
	n = poll(&pfd, 1, PATIENCE_MS);
	close(pfd.fd);
	return n == 1;
}

static void reap(struct process *process)
{
	ck_assert_int_eq(waitpid(process->pid, &process->wait_status, 0),
			 process->pid);
	process->reaped = true;
	pthread_join(process->reader, NULL);
}

int process_wait(struct process *process)
{
	if (!process->reaped) {
		if (!process_ends(process)) {
			abort_missing(process, &(struct sought){ "goodbye",
								 NULL, false });
		}
		reap(process);
	}
	if (WIFSIGNALED(process->wait_status)) {
		return 128 + WTERMSIG(process->wait_status);
	}
	return WEXITSTATUS(process->wait_status);
}

bool process_is_alive(struct process *process)
{
	return !process->reaped && strchr("XZ", state_of(process->pid)) == NULL;
}

void process_release(struct process *process)
{
	if (process->pid == 0) {
		return;
	}
	if (!process->reaped) {
		kill(process->pid, SIGKILL);
		reap(process);
	}
	close(process->fd);
	free(process->log);
	pthread_cond_destroy(&process->changed);
	pthread_mutex_destroy(&process->lock);
	memset(process, 0, sizeof(*process));
}

void process_end(struct process *process)
{
	int code;

	process_signal(process, SIGTERM);
	code = process_wait(process);
	if (code != 0) {
		fprintf(stderr, "%s exited with %d:\n%s\n", process->name, code,
			process->log != NULL ? process->log : "");
	}
	ck_assert_msg(code == 0, "%s exited with %d", process->name, code);
	process_release(process);
}

void process_kill(struct process *process)
{
	process_signal(process, SIGKILL);
	ck_assert_int_eq(process_wait(process), 128 + SIGKILL);
	process_release(process);
}

size_t process_resident_kb(const struct process *process)
{
	char path[64];
	char line[256];
	size_t kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)process->pid);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "VmRSS: %zu", &kb) == 1) {
			break;
		}
	}
	fclose(file);
	return kb;
}

size_t process_descriptors(const struct process *process)
{
	char path[64];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL) {
		n++;
	}
	closedir(dir);
	return n - 2;
}
