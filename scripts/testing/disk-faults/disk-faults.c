/*
 * disk-faults: makes a folder behave like a failing disk, for any program that is started with LD_PRELOAD.
 *
 * Environment:
 *   DISK_FAULTS_FOLDER   absolute path without symbolic links; only files below it are affected
 *   DISK_FAULTS_CONTROL  the control file; checked on every call, so that a running program changes with it
 *
 * The control file holds one rule on each line. An absent or empty file and invalid lines change nothing:
 *
 *   OPERATION FAULT [every N] [only TEXT]
 *
 *   OPERATION  write     write, pwrite, writev, pwritev, copy_file_range, sendfile
 *              sync      fsync, fdatasync, sync_file_range, syncfs
 *              open      open for writing, and for creating
 *              create    open of a file that does not exist, mkdir, link, symlink: what needs an inode
 *              openread  open for reading only
 *              read      read, pread, readv, preadv
 *              rename    rename, renameat, renameat2
 *              remove    unlink, unlinkat, rmdir
 *              truncate  truncate, ftruncate
 *              close     close; the file is still closed
 *              stat      stat and its kind, statfs, access, listing a folder
 *              any       all of them except openread, read, close and stat
 *   FAULT      EIO, ENOSPC, EROFS, EDQUOT, ENODEV, EACCES or EMFILE: fail with this error
 *              delay MS      wait, then do it
 *              hang          wait for as long as the rule is there, then do it: a disk that does not answer
 *              short BYTES   write or read at most so many bytes at once; libuv then writes the rest by itself
 *   every N    only each N-th matching call, counted in each process
 *   only TEXT  only files whose path contains this text
 *
 * Example: three seconds in which nothing reaches the masters:  "write EIO only .mkv"  and  "sync EIO only .mkv".
 *
 * It replaces the functions of the C library that ffmpeg and node (libuv, without io_uring) call for their files. It does
 * not see what the C library writes itself (stdio: fwrite, fprintf); only fopen is covered. It does not reach statically
 * linked programs.
 *
 * Build: cc -shared -fPIC -O2 -o disk-faults.so disk-faults.c -ldl
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum operation { WRITE, SYNC, OPEN, CREATE, OPENREAD, READ, RENAME, REMOVE, TRUNCATE, CLOSE, STAT, OPERATIONS };
enum fault { FAIL, DELAY, SHORTEN, HANG };

static const char *const operationNames[OPERATIONS] = {"write",  "sync",   "open",     "create", "openread",
                                                       "read",   "rename", "remove",   "truncate", "close",  "stat"};

static const struct {
  const char *name;
  int number;
} errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EROFS", EROFS},  {"EDQUOT", EDQUOT},
              {"ENODEV", ENODEV}, {"EACCES", EACCES}, {"EMFILE", EMFILE}};

#define MAX_RULES 32
#define MAX_CONTROL 4096

struct rule {
  unsigned operations; /* one bit each */
  enum fault fault;
  long value; /* errno, milliseconds or bytes */
  unsigned every;
  unsigned seen;
  char only[128];
};

/* What happens to one call. */
struct verdict {
  int error; /* 0: do it */
  size_t most; /* bytes that may pass at once */
};

static struct rule rules[MAX_RULES];
static int ruleCount;
static char lastControl[MAX_CONTROL];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))realFunction(#name))

static void *realFunction(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  return found;
}

/* Calls of this library must not come back to it. */
#define systemCall(...) ((__typeof__(&syscall))realSyscall())(__VA_ARGS__)

static void *realSyscall(void) {
  static void *found;
  if (found == NULL) found = realFunction("syscall");
  return found;
}

static ssize_t readControl(char *text, size_t size) {
  const char *path = getenv("DISK_FAULTS_CONTROL");
  if (path == NULL) return 0;
  int fd = (int)systemCall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = systemCall(SYS_lseek, fd, 0, SEEK_END);
  if (length > (ssize_t)size - 1) length = (ssize_t)size - 1;
  /* Not by read(2): the kernel counts that, and a call that hangs reads nothing. */
  void *found = length > 0 ? mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
  systemCall(SYS_close, fd);
  if (found == MAP_FAILED) return 0;
  memcpy(text, found, (size_t)length);
  munmap(found, (size_t)length);
  return length;
}

static unsigned operationBits(const char *word) {
  if (strcmp(word, "any") == 0) return ((1u << OPERATIONS) - 1) & ~(1u << OPENREAD | 1u << READ | 1u << CLOSE | 1u << STAT);
  for (int one = 0; one < OPERATIONS; one += 1)
    if (strcmp(word, operationNames[one]) == 0) return 1u << one;
  return 0;
}

static int errorNumber(const char *word) {
  for (size_t one = 0; one < sizeof errors / sizeof *errors; one += 1)
    if (strcmp(word, errors[one].name) == 0) return errors[one].number;
  return 0;
}

static int parseRule(char *line, struct rule *rule) {
  char *rest = NULL;
  char *word = strtok_r(line, " \t", &rest);
  if (word == NULL) return 0;
  memset(rule, 0, sizeof *rule);
  rule->every = 1;
  rule->operations = operationBits(word);
  word = strtok_r(NULL, " \t", &rest);
  if (rule->operations == 0 || word == NULL) return 0;
  rule->value = errorNumber(word);
  if (rule->value == 0 && strcmp(word, "hang") == 0) rule->fault = HANG;
  else if (rule->value == 0) {
    if (strcmp(word, "delay") == 0) rule->fault = DELAY;
    else if (strcmp(word, "short") == 0) rule->fault = SHORTEN;
    else return 0;
    char *value = strtok_r(NULL, " \t", &rest);
    if (value == NULL || (rule->value = atol(value)) <= 0) return 0;
  }
  while ((word = strtok_r(NULL, " \t", &rest)) != NULL) {
    char *value = strtok_r(NULL, " \t", &rest);
    if (value == NULL) return 0;
    if (strcmp(word, "every") == 0 && atoi(value) > 0) rule->every = (unsigned)atoi(value);
    else if (strcmp(word, "only") == 0) snprintf(rule->only, sizeof rule->only, "%s", value);
    else return 0;
  }
  return 1;
}

/* Reads the rules if the control file changed. The lock is held. */
static void refreshRules(void) {
  char text[MAX_CONTROL];
  ssize_t length = readControl(text, sizeof text);
  text[length] = '\0';
  if (strcmp(text, lastControl) == 0) return;
  memcpy(lastControl, text, sizeof text);
  ruleCount = 0;
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
    if (ruleCount < MAX_RULES && parseRule(line, &rules[ruleCount])) ruleCount += 1;
}

static int isBelowFolder(const char *path) {
  const char *folder = getenv("DISK_FAULTS_FOLDER");
  size_t length = folder == NULL ? 0 : strlen(folder);
  if (length == 0 || strncmp(path, folder, length) != 0) return 0;
  return path[length] == '/' || path[length] == '\0';
}

static int pathOfDescriptor(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = systemCall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return 1;
}

static int absolutePath(int folder, const char *path, char *absolute) {
  if (path == NULL) return 0;
  if (path[0] == '/') return snprintf(absolute, PATH_MAX, "%s", path) < PATH_MAX;
  char start[PATH_MAX];
  if (folder == AT_FDCWD ? getcwd(start, sizeof start) == NULL : !pathOfDescriptor(folder, start)) return 0;
  return snprintf(absolute, PATH_MAX, "%s/%s", start, path) < PATH_MAX;
}

static void waitFor(long milliseconds) {
  struct timespec left = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

static const long hangLookMs = 20;

/* Whether a rule lets these operations hang now. */
static int hangs(unsigned operations, const char *path) {
  int found = 0;
  pthread_mutex_lock(&lock);
  refreshRules();
  for (int one = 0; one < ruleCount; one += 1) {
    struct rule *rule = &rules[one];
    if (rule->fault == HANG && (rule->operations & operations) != 0 && strstr(path, rule->only) != NULL) found = 1;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static struct verdict judge(unsigned operations, const char *path) {
  struct verdict verdict = {0, SIZE_MAX};
  long delay = 0;
  while (hangs(operations, path)) waitFor(hangLookMs);
  pthread_mutex_lock(&lock);
  refreshRules();
  for (int one = 0; one < ruleCount; one += 1) {
    struct rule *rule = &rules[one];
    if ((rule->operations & operations) == 0 || strstr(path, rule->only) == NULL) continue;
    rule->seen += 1;
    if (rule->seen % rule->every != 0) continue;
    if (rule->fault == FAIL && verdict.error == 0) verdict.error = (int)rule->value;
    if (rule->fault == DELAY) delay += rule->value;
    if (rule->fault == SHORTEN && (size_t)rule->value < verdict.most) verdict.most = (size_t)rule->value;
  }
  pthread_mutex_unlock(&lock);
  if (delay > 0) waitFor(delay);
  return verdict;
}

static const struct verdict untouched = {0, SIZE_MAX};

static struct verdict judgeDescriptor(enum operation operation, int fd) {
  char path[PATH_MAX];
  int before = errno;
  struct verdict verdict = untouched;
  if (pathOfDescriptor(fd, path) && isBelowFolder(path)) verdict = judge(1u << operation, path);
  errno = verdict.error == 0 ? before : verdict.error;
  return verdict;
}

static struct verdict judgePath(unsigned operations, int folder, const char *path) {
  char absolute[PATH_MAX];
  int before = errno;
  struct verdict verdict = untouched;
  if (absolutePath(folder, path, absolute) && isBelowFolder(absolute)) verdict = judge(operations, absolute);
  errno = verdict.error == 0 ? before : verdict.error;
  return verdict;
}

static unsigned openOperations(int folder, const char *path, int flags) {
  struct stat found;
  if ((flags & O_CREAT) != 0 && systemCall(SYS_newfstatat, folder, path, &found, AT_SYMLINK_NOFOLLOW) != 0)
    return 1u << OPEN | 1u << CREATE;
  return (flags & O_ACCMODE) == O_RDONLY && (flags & (O_CREAT | O_TRUNC)) == 0 ? 1u << OPENREAD : 1u << OPEN;
}

static size_t atMost(size_t count, struct verdict verdict) { return count < verdict.most ? count : verdict.most; }

#define CACHED(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = REAL(name)

ssize_t write(int fd, const void *data, size_t count) {
  CACHED(write);
  struct verdict verdict = judgeDescriptor(WRITE, fd);
  return verdict.error != 0 ? -1 : real(fd, data, atMost(count, verdict));
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t at) {
  CACHED(pwrite);
  struct verdict verdict = judgeDescriptor(WRITE, fd);
  return verdict.error != 0 ? -1 : real(fd, data, atMost(count, verdict), at);
}

ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) {
  CACHED(pwrite64);
  struct verdict verdict = judgeDescriptor(WRITE, fd);
  return verdict.error != 0 ? -1 : real(fd, data, atMost(count, verdict), at);
}

/* Truncates the first of several pieces; the others wait for the next call. */
static int shortened(const struct iovec *pieces, int count, struct verdict verdict, struct iovec *first) {
  if (count <= 0 || verdict.most == SIZE_MAX) return 0;
  *first = (struct iovec){pieces[0].iov_base, atMost(pieces[0].iov_len, verdict)};
  return 1;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  CACHED(writev);
  struct iovec first;
  struct verdict verdict = judgeDescriptor(WRITE, fd);
  if (verdict.error != 0) return -1;
  return shortened(pieces, count, verdict, &first) ? real(fd, &first, 1) : real(fd, pieces, count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) {
  CACHED(pwritev);
  struct iovec first;
  struct verdict verdict = judgeDescriptor(WRITE, fd);
  if (verdict.error != 0) return -1;
  return shortened(pieces, count, verdict, &first) ? real(fd, &first, 1, at) : real(fd, pieces, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
  CACHED(pwritev64);
  struct iovec first;
  struct verdict verdict = judgeDescriptor(WRITE, fd);
  if (verdict.error != 0) return -1;
  return shortened(pieces, count, verdict, &first) ? real(fd, &first, 1, at) : real(fd, pieces, count, at);
}

ssize_t copy_file_range(int from, off64_t *fromAt, int to, off64_t *toAt, size_t count, unsigned flags) {
  CACHED(copy_file_range);
  struct verdict verdict = judgeDescriptor(WRITE, to);
  return verdict.error != 0 ? -1 : real(from, fromAt, to, toAt, atMost(count, verdict), flags);
}

ssize_t sendfile(int to, int from, off_t *at, size_t count);
ssize_t sendfile(int to, int from, off_t *at, size_t count) {
  CACHED(sendfile);
  struct verdict verdict = judgeDescriptor(WRITE, to);
  return verdict.error != 0 ? -1 : real(to, from, at, atMost(count, verdict));
}

ssize_t sendfile64(int to, int from, off64_t *at, size_t count);
ssize_t sendfile64(int to, int from, off64_t *at, size_t count) {
  CACHED(sendfile64);
  struct verdict verdict = judgeDescriptor(WRITE, to);
  return verdict.error != 0 ? -1 : real(to, from, at, atMost(count, verdict));
}

ssize_t read(int fd, void *data, size_t count) {
  CACHED(read);
  struct verdict verdict = judgeDescriptor(READ, fd);
  return verdict.error != 0 ? -1 : real(fd, data, atMost(count, verdict));
}

ssize_t pread(int fd, void *data, size_t count, off_t at) {
  CACHED(pread);
  struct verdict verdict = judgeDescriptor(READ, fd);
  return verdict.error != 0 ? -1 : real(fd, data, atMost(count, verdict), at);
}

ssize_t pread64(int fd, void *data, size_t count, off64_t at) {
  CACHED(pread64);
  struct verdict verdict = judgeDescriptor(READ, fd);
  return verdict.error != 0 ? -1 : real(fd, data, atMost(count, verdict), at);
}

ssize_t readv(int fd, const struct iovec *pieces, int count) {
  CACHED(readv);
  return judgeDescriptor(READ, fd).error != 0 ? -1 : real(fd, pieces, count);
}

ssize_t preadv(int fd, const struct iovec *pieces, int count, off_t at) {
  CACHED(preadv);
  return judgeDescriptor(READ, fd).error != 0 ? -1 : real(fd, pieces, count, at);
}

ssize_t preadv64(int fd, const struct iovec *pieces, int count, off64_t at) {
  CACHED(preadv64);
  return judgeDescriptor(READ, fd).error != 0 ? -1 : real(fd, pieces, count, at);
}

int fsync(int fd) {
  CACHED(fsync);
  return judgeDescriptor(SYNC, fd).error != 0 ? -1 : real(fd);
}

int fdatasync(int fd) {
  CACHED(fdatasync);
  return judgeDescriptor(SYNC, fd).error != 0 ? -1 : real(fd);
}

int syncfs(int fd) {
  CACHED(syncfs);
  return judgeDescriptor(SYNC, fd).error != 0 ? -1 : real(fd);
}

int sync_file_range(int fd, off64_t at, off64_t count, unsigned flags) {
  CACHED(sync_file_range);
  return judgeDescriptor(SYNC, fd).error != 0 ? -1 : real(fd, at, count, flags);
}

#define MODE_OF(flags, last) \
  mode_t mode = 0; \
  if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list more; \
    va_start(more, last); \
    mode = va_arg(more, mode_t); \
    va_end(more); \
  }

#define OPEN_FUNCTION(name) \
  int name(const char *path, int flags, ...) { \
    CACHED(name); \
    MODE_OF(flags, flags) \
    if (judgePath(openOperations(AT_FDCWD, path, flags), AT_FDCWD, path).error != 0) return -1; \
    return real(path, flags, mode); \
  }

#define OPENAT_FUNCTION(name) \
  int name(int folder, const char *path, int flags, ...) { \
    CACHED(name); \
    MODE_OF(flags, flags) \
    if (judgePath(openOperations(folder, path, flags), folder, path).error != 0) return -1; \
    return real(folder, path, flags, mode); \
  }

#define FOPEN_FUNCTION(name) \
  FILE *name(const char *path, const char *how) { \
    CACHED(name); \
    int flags = strchr(how, 'w') != NULL ? O_WRONLY | O_CREAT | O_TRUNC : strchr(how, 'a') != NULL ? O_WRONLY | O_CREAT : O_RDONLY; \
    if (judgePath(openOperations(AT_FDCWD, path, flags), AT_FDCWD, path).error != 0) return NULL; \
    return real(path, how); \
  }

OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)
OPENAT_FUNCTION(openat)
OPENAT_FUNCTION(openat64)
FOPEN_FUNCTION(fopen)
FOPEN_FUNCTION(fopen64)

int creat(const char *path, mode_t mode) { return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

int mkdir(const char *path, mode_t mode) {
  CACHED(mkdir);
  return judgePath(1u << CREATE, AT_FDCWD, path).error != 0 ? -1 : real(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
  CACHED(mkdirat);
  return judgePath(1u << CREATE, folder, path).error != 0 ? -1 : real(folder, path, mode);
}

int link(const char *from, const char *to) {
  CACHED(link);
  return judgePath(1u << CREATE, AT_FDCWD, to).error != 0 ? -1 : real(from, to);
}

int symlink(const char *target, const char *path) {
  CACHED(symlink);
  return judgePath(1u << CREATE, AT_FDCWD, path).error != 0 ? -1 : real(target, path);
}

int rename(const char *from, const char *to) {
  CACHED(rename);
  return judgePath(1u << RENAME, AT_FDCWD, to).error != 0 ? -1 : real(from, to);
}

int renameat(int fromFolder, const char *from, int toFolder, const char *to) {
  CACHED(renameat);
  return judgePath(1u << RENAME, toFolder, to).error != 0 ? -1 : real(fromFolder, from, toFolder, to);
}

int renameat2(int fromFolder, const char *from, int toFolder, const char *to, unsigned flags) {
  CACHED(renameat2);
  return judgePath(1u << RENAME, toFolder, to).error != 0 ? -1 : real(fromFolder, from, toFolder, to, flags);
}

int unlink(const char *path) {
  CACHED(unlink);
  return judgePath(1u << REMOVE, AT_FDCWD, path).error != 0 ? -1 : real(path);
}

int unlinkat(int folder, const char *path, int flags) {
  CACHED(unlinkat);
  return judgePath(1u << REMOVE, folder, path).error != 0 ? -1 : real(folder, path, flags);
}

int rmdir(const char *path) {
  CACHED(rmdir);
  return judgePath(1u << REMOVE, AT_FDCWD, path).error != 0 ? -1 : real(path);
}

int truncate(const char *path, off_t length) {
  CACHED(truncate);
  return judgePath(1u << TRUNCATE, AT_FDCWD, path).error != 0 ? -1 : real(path, length);
}

int ftruncate(int fd, off_t length) {
  CACHED(ftruncate);
  return judgeDescriptor(TRUNCATE, fd).error != 0 ? -1 : real(fd, length);
}

int ftruncate64(int fd, off64_t length) {
  CACHED(ftruncate64);
  return judgeDescriptor(TRUNCATE, fd).error != 0 ? -1 : real(fd, length);
}

/* As the kernel does it: the descriptor is gone, whatever close returns. */
int close(int fd) {
  CACHED(close);
  struct verdict verdict = judgeDescriptor(CLOSE, fd);
  int closed = real(fd);
  if (verdict.error == 0) return closed;
  errno = verdict.error;
  return -1;
}

int access(const char *path, int mode) {
  CACHED(access);
  return judgePath(1u << STAT, AT_FDCWD, path).error != 0 ? -1 : real(path, mode);
}

int statfs(const char *path, struct statfs *found) {
  CACHED(statfs);
  return judgePath(1u << STAT, AT_FDCWD, path).error != 0 ? -1 : real(path, found);
}

int statfs64(const char *path, struct statfs64 *found) {
  CACHED(statfs64);
  return judgePath(1u << STAT, AT_FDCWD, path).error != 0 ? -1 : real(path, found);
}

typedef int filter(const struct dirent *);
typedef int order(const struct dirent **, const struct dirent **);
int scandir(const char *path, struct dirent ***found, filter *filter, order *order) {
  CACHED(scandir);
  return judgePath(1u << STAT, AT_FDCWD, path).error != 0 ? -1 : real(path, found, filter, order);
}

typedef int filter64(const struct dirent64 *);
typedef int order64(const struct dirent64 **, const struct dirent64 **);
int scandir64(const char *path, struct dirent64 ***found, filter64 *filter, order64 *order) {
  CACHED(scandir64);
  return judgePath(1u << STAT, AT_FDCWD, path).error != 0 ? -1 : real(path, found, filter, order);
}

static struct verdict judgeStat(int folder, const char *path) {
  if (path != NULL && path[0] != '\0') return judgePath(1u << STAT, folder, path);
  return judgeDescriptor(STAT, folder);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *found) {
  CACHED(statx);
  return judgeStat(folder, path).error != 0 ? -1 : real(folder, path, flags, mask, found);
}

/* libuv closes by the system call number, and asks for a file's state by it. */
long syscall(long number, ...) {
  long arguments[6];
  va_list more;
  va_start(more, number);
  for (int one = 0; one < 6; one += 1) arguments[one] = va_arg(more, long);
  va_end(more);
  struct verdict verdict = number == SYS_close ? judgeDescriptor(CLOSE, (int)arguments[0]) : untouched;
  if (number == SYS_statx && judgeStat((int)arguments[0], (const char *)arguments[1]).error != 0) return -1;
  long result = systemCall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  if (verdict.error == 0) return result;
  errno = verdict.error;
  return -1;
}
