/* What every load does: read requests from a file, dial, fill in moment and number, find marks, sort times. */
#ifndef CLIENT_H
#define CLIENT_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 20000
#define LINE_MAX_BYTES 8192
#define ANSWER_MAX_BYTES 65536
/* Longer than a mark, so that one which comes in two pieces is found. */
#define TAIL 32
#define MARK_DIGITS 20
#define BUFFER (1 << 20)
#define EVENTS 1024

static struct sockaddr_in address;
/* Where connections come from: one address has some 28,000 ports. Zeros leave it to the system. */
static struct sockaddr_in source;
static int poller;

static inline void fail(const char *what) {
    perror(what);
    exit(1);
}

static inline long long now_ns(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec * 1000000000LL + moment.tv_nsec;
}

/* All the files that the system allows, a poller, and the server's address. */
static inline void prepare(const char *port) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    poller = epoll_create1(0);
}

/* The value of `name=value` among the arguments, or `otherwise`. */
static inline double option(int argc, char **argv, const char *name, double otherwise) {
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, length) && argv[i][length] == '=')
            return atof(argv[i] + length + 1);
    return otherwise;
}

/* Let connections come from 127.0.0.`last`. */
static inline void come_from(unsigned last) {
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xffu) | last);
}

/* One request a line, with \r\n written out. Returns how many. */
static inline int read_lines(const char *path, char **lines) {
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    char line[LINE_MAX_BYTES];
    int count = 0;
    while (count < LINES_MAX && fgets(line, sizeof line, file)) {
        char *to = lines[count] = malloc(strlen(line) + 1);
        for (char *from = line; *from && *from != '\n'; from++) {
            if (from[0] == '\\' && (from[1] == 'r' || from[1] == 'n'))
                *to++ = *++from == 'r' ? '\r' : '\n';
            else
                *to++ = *from;
        }
        *to = 0;
        count++;
    }
    fclose(file);
    return count;
}

static inline int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd >= 0 && source.sin_family) {
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(fd, (struct sockaddr *)&source, sizeof source))
            fail("bind");
    }
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static inline void watch(int fd, unsigned events, unsigned number) {
    struct epoll_event event = {.events = events, .data.u32 = number};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        fail("epoll_ctl");
}

/* Where the numbers of a run begin: microseconds, so that no number comes again in a later run. */
static inline long first_number(void) {
    return (long)(now_ns() / 1000);
}

/* %T becomes @@ and the moment, %N the number in sixteen digits, %C the text `cursor`. */
static inline void give(int fd, const char *request, long number, const char *cursor) {
    char text[LINE_MAX_BYTES + 128], *to = text;
    for (const char *from = request; *from; from++) {
        if (from[0] == '%' && from[1] == 'T')
            to += sprintf(to, "@@%020lld", now_ns()), from++;
        else if (from[0] == '%' && from[1] == 'N')
            to += sprintf(to, "%016ld", number), from++;
        else if (from[0] == '%' && from[1] == 'C')
            to += sprintf(to, "%s", cursor), from++;
        else
            *to++ = *from;
    }
    if (send(fd, text, (size_t)(to - text), MSG_NOSIGNAL) != to - text)
        fail("send");
}

/* The next mark in these bytes, or NULL; `moment` becomes its digits. */
static inline char *find_mark(char *from, char *end, long long *moment) {
    char *mark = memmem(from, (size_t)(end - from), "@@", 2);
    if (!mark || mark + 2 + MARK_DIGITS > end)
        return NULL;
    char digits[MARK_DIGITS + 1];
    memcpy(digits, mark + 2, MARK_DIGITS);
    digits[MARK_DIGITS] = 0;
    *moment = atoll(digits);
    return mark + 2 + MARK_DIGITS;
}

/* An answer with Content-Length, as it comes in pieces. */
struct answer {
    size_t length;
    char text[ANSWER_MAX_BYTES];
};

/* Returns 1 when the whole answer is here, 0 when not yet. The end of the connection is the end of the load. */
static inline int hear(int fd, struct answer *one) {
    ssize_t got = recv(fd, one->text + one->length, sizeof one->text - one->length - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got <= 0) {
        fprintf(stderr, "the server closed a connection that waited for an answer\n");
        exit(1);
    }
    one->length += (size_t)got;
    one->text[one->length] = 0;
    char *body = strstr(one->text, "\r\n\r\n");
    if (!body)
        return 0;
    char *header = strcasestr(one->text, "\r\ncontent-length:");
    size_t length = header && header < body ? strtoul(header + 17, NULL, 10) : 0;
    return one->length >= (size_t)(body + 4 - one->text) + length;
}

/* Whether the status is of the 200s; the first that is not is shown. */
static inline int accepted(const struct answer *one) {
    static int shown;
    if (!strncmp(one->text + 9, "20", 2))
        return 1;
    if (!shown++)
        fprintf(stderr, "refused: %.300s\n", one->text);
    return 0;
}

/* Times in milliseconds, kept to be sorted at the end. */
struct times {
    float *ms;
    size_t count, room;
};

static inline void keep(struct times *all, double ms) {
    if (all->count == all->room) {
        all->room = all->room ? all->room * 2 : 1 << 16;
        all->ms = realloc(all->ms, all->room * sizeof *all->ms);
        if (!all->ms)
            fail("realloc");
    }
    all->ms[all->count++] = (float)ms;
}

static inline int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Sorts. `share` 0.5 is the median. */
static inline double part(struct times *all, double share) {
    qsort(all->ms, all->count, sizeof *all->ms, by_value);
    return all->count ? all->ms[(size_t)(share * (double)(all->count - 1))] : 0;
}
#endif
