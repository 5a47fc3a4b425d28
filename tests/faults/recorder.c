/* Put in front of the C library by LD_PRELOAD: writes down what is written to files, and what of it
 * was synced, in the order in which it happened. Whoever reads it can say what a disk may hold that
 * loses its power at any moment.
 *
 * A record: kind ('W'rite, 'T'runcate, 'S'ync), file (0: the database, 1: its log), offset or new
 * size or, of a sync, where this record stood when the sync began; length; the bytes written.
 *
 * Several processes may write: the threads of one take turns by a mutex, processes by a lock on the
 * record. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;

struct __attribute__((packed)) head {
    char kind;
    uint8_t file;
    uint64_t offset;
    uint32_t length;
};

static int file_of(int fd) {
    char link[64], path[4096];
    const char *watched = getenv("RECORDED_FILE");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (watched == NULL || size < 0) return -1;
    path[size] = 0;
    size_t length = strlen(watched);
    if (strncmp(path, watched, length)) return -1;
    return path[length] == 0 ? 0 : strcmp(path + length, "-wal") ? -1 : 1;
}

static void note(char kind, int file, uint64_t offset, const void *bytes, uint32_t length) {
    struct head head = {kind, (uint8_t)file, offset, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, length}};
    /* Half a record would be read as something else than what happened. */
    if (writev(record, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

static void take_turn(void) {
    pthread_mutex_lock(&lock);
    if (record < 0) record = open(getenv("RECORDED_TO"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (flock(record, LOCK_EX)) abort();
}

static void give_turn(void) {
    flock(record, LOCK_UN);
    pthread_mutex_unlock(&lock);
}

static uint64_t stands(void) {
    struct stat told;
    if (fstat(record, &told)) abort();
    return (uint64_t)told.st_size;
}

static ssize_t write_at(const char *name, int fd, const void *bytes, size_t length, off64_t at) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, name);
    int file = file_of(fd);
    if (file < 0) return real(fd, bytes, length, at);
    /* Before it happens, so that no sync can come in between that covers it and does not say so. */
    take_turn();
    note('W', file, (uint64_t)at, bytes, (uint32_t)length);
    ssize_t done = real(fd, bytes, length, at);
    give_turn();
    if (done != (ssize_t)length) abort();
    return done;
}

static int truncate_to(const char *name, int fd, off64_t size) {
    int (*real)(int, off64_t) = dlsym(RTLD_NEXT, name);
    int file = file_of(fd);
    if (file < 0) return real(fd, size);
    take_turn();
    note('T', file, (uint64_t)size, NULL, 0);
    int done = real(fd, size);
    give_turn();
    return done;
}

static int synced(const char *name, int fd) {
    int (*real)(int) = dlsym(RTLD_NEXT, name);
    int file = file_of(fd);
    if (file < 0) return real(fd);
    take_turn();
    uint64_t began = stands();
    give_turn();
    int done = real(fd);
    take_turn();
    if (done == 0) note('S', file, began, NULL, 0);
    give_turn();
    return done;
}

ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return write_at("pwrite", fd, b, n, at); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return write_at("pwrite64", fd, b, n, at); }
int ftruncate(int fd, off_t size) { return truncate_to("ftruncate", fd, size); }
int ftruncate64(int fd, off64_t size) { return truncate_to("ftruncate64", fd, size); }
int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
