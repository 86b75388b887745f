/* The load: holds many event streams open, sends messages, and says when each of them arrived.
 *
 * One thread, one epoll, no parsing but the search for a mark: a message carries the moment when it was sent,
 * as @@ and twenty digits (CLOCK_MONOTONIC, nanoseconds), and every stream is looked through for it.
 *
 * Usage: load PORT STREAMS REQUESTS SENDS RATE SECONDS WINDOW
 *   REQUESTS  a file, one request a line with \r\n written out; streams take them in turn
 *   SENDS     a file like it, for sending: %T becomes the moment, %N a number of sixteen digits
 *   RATE      messages a second; 0: the next as soon as fewer than WINDOW are on their way
 * Says `open {…}` when every stream has had its first bytes, waits for a line on standard input, sends for
 * SECONDS, waits for what is missing, and says `done {…}`: all times in milliseconds.
 */
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
#define TAIL 32
#define MARK_DIGITS 20
#define BUFFER (1 << 20)
#define REST_S 10.0
#define EVENTS 1024

struct stream {
    int fd;
    int open;
    int tail_length;
    char tail[TAIL];
};

static struct stream *streams;
static int stream_count, open_count, poller, ended;
static char *requests[LINES_MAX], *sends[LINES_MAX];
static int request_count, send_count;
static struct sockaddr_in address;
static float *latencies;
static size_t delivered, latencies_max = 64u << 20;
static long sent, answered, refused;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long long now_ns(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec * 1000000000LL + moment.tv_nsec;
}

static int read_lines(const char *path, char **lines) {
    FILE *file = fopen(path, "r");
    if (!file)
        fail(path);
    char line[LINE_MAX_BYTES];
    int count = 0;
    while (count < LINES_MAX && fgets(line, sizeof line, file)) {
        char *to = lines[count] = malloc(LINE_MAX_BYTES);
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

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void look(struct stream *one, char *buffer, ssize_t got, long long now) {
    /* `buffer` begins with the tail of what came before. */
    char *from = buffer, *end = buffer + one->tail_length + got, *mark;
    while ((mark = memmem(from, (size_t)(end - from), "@@", 2)) && mark + 2 + MARK_DIGITS <= end) {
        char digits[MARK_DIGITS + 1];
        memcpy(digits, mark + 2, MARK_DIGITS);
        digits[MARK_DIGITS] = 0;
        if (delivered < latencies_max)
            latencies[delivered] = (float)((now - atoll(digits)) / 1e6);
        delivered++;
        from = mark + 2 + MARK_DIGITS;
    }
    size_t rest = (size_t)(end - from) < TAIL ? (size_t)(end - from) : TAIL;
    memmove(one->tail, end - rest, rest);
    one->tail_length = (int)rest;
}

static void listen_once(int timeout_ms) {
    static char buffer[TAIL + BUFFER];
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct stream *one = &streams[events[i].data.u32];
        memcpy(buffer, one->tail, (size_t)one->tail_length);
        ssize_t got = recv(one->fd, buffer + one->tail_length, BUFFER, MSG_DONTWAIT);
        if (got <= 0) {
            if (got < 0 && errno == EAGAIN)
                continue;
            epoll_ctl(poller, EPOLL_CTL_DEL, one->fd, NULL);
            ended++;
            continue;
        }
        if (!one->open) {
            one->open = 1;
            open_count++;
        }
        look(one, buffer, got, now_ns());
    }
}

static void open_streams(void) {
    for (int i = 0; i < stream_count; i++) {
        const char *request = requests[i % request_count];
        streams[i].fd = dial();
        if (send(streams[i].fd, request, strlen(request), MSG_NOSIGNAL) < 0)
            fail("send");
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (unsigned)i};
        epoll_ctl(poller, EPOLL_CTL_ADD, streams[i].fd, &event);
        listen_once(0);
    }
    while (open_count < stream_count && !ended)
        listen_once(1000);
}

/* One sender's keep-alive connection: a request is answered before the next one goes out on it. */
struct sender {
    int fd;
    int busy;
    size_t length;
    char answer[LINE_MAX_BYTES];
};

static void post(struct sender *one) {
    char text[LINE_MAX_BYTES + 64], *to = text;
    for (const char *from = sends[sent % send_count]; *from; from++) {
        if (from[0] == '%' && from[1] == 'T')
            to += sprintf(to, "@@%020lld", now_ns()), from++;
        else if (from[0] == '%' && from[1] == 'N')
            to += sprintf(to, "%016ld", sent), from++;
        else
            *to++ = *from;
    }
    if (send(one->fd, text, (size_t)(to - text), MSG_NOSIGNAL) < 0)
        fail("send");
    one->busy = 1;
    one->length = 0;
    sent++;
}

static void hear(struct sender *one) {
    ssize_t got = recv(one->fd, one->answer + one->length, sizeof one->answer - one->length - 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        fprintf(stderr, "a sender's connection was closed\n");
        exit(1);
    }
    one->length += (size_t)got;
    one->answer[one->length] = 0;
    char *body = strstr(one->answer, "\r\n\r\n");
    if (!body)
        return;
    char *header = strcasestr(one->answer, "\r\ncontent-length:");
    size_t length = header && header < body ? strtoul(header + 17, NULL, 10) : 0;
    if (one->length < (size_t)(body + 4 - one->answer) + length)
        return;
    answered++;
    if (strncmp(one->answer + 9, "20", 2)) {
        if (!refused++)
            fprintf(stderr, "refused: %.200s\n", one->answer);
    }
    one->busy = 0;
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float part(size_t count, double share) {
    return count ? latencies[(size_t)(share * (double)(count - 1))] : 0;
}

int main(int argc, char **argv) {
    if (argc != 8) {
        fprintf(stderr, "usage: load PORT STREAMS REQUESTS SENDS RATE SECONDS WINDOW\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stream_count = atoi(argv[2]);
    request_count = read_lines(argv[3], requests);
    send_count = read_lines(argv[4], sends);
    double rate = atof(argv[5]), seconds = atof(argv[6]);
    int window = atoi(argv[7]);
    streams = calloc((size_t)stream_count + 1, sizeof *streams);
    latencies = malloc(latencies_max * sizeof *latencies);
    poller = epoll_create1(0);

    long long before = now_ns();
    open_streams();
    printf("open {\"streams\": %d, \"ended\": %d, \"took_ms\": %.1f}\n", open_count, ended, (now_ns() - before) / 1e6);
    fflush(stdout);
    char line[16];
    if (!fgets(line, sizeof line, stdin))
        return 1;

    struct sender *senders = calloc((size_t)window, sizeof *senders);
    for (int i = 0; i < window; i++)
        senders[i].fd = dial();
    long long started = now_ns(), stop = started + (long long)(seconds * 1e9), moment;
    while ((moment = now_ns()) < stop) {
        long due = rate > 0 ? (long)((double)(moment - started) / 1e9 * rate) + 1 : sent + window;
        for (int i = 0; i < window; i++) {
            if (senders[i].busy)
                hear(&senders[i]);
            int behind = rate == 0 && (size_t)(sent - window) * (size_t)stream_count > delivered && sent > window;
            if (!senders[i].busy && sent < due && !behind)
                post(&senders[i]);
        }
        listen_once(1);
    }
    long long ended_at = now_ns();
    size_t wanted = (size_t)sent * (size_t)stream_count;
    while (delivered < wanted && now_ns() - ended_at < (long long)(REST_S * 1e9)) {
        for (int i = 0; i < window; i++)
            if (senders[i].busy)
                hear(&senders[i]);
        listen_once(10);
    }
    double took_s = (double)(now_ns() - started) / 1e9;
    size_t kept = delivered < latencies_max ? delivered : latencies_max;
    qsort(latencies, kept, sizeof *latencies, by_value);
    printf("done {\"sent\": %ld, \"answered\": %ld, \"refused\": %ld, \"delivered\": %zu, \"missing\": %zd, \"ended\": %d, "
           "\"seconds\": %.3f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n",
           sent, answered, refused, delivered, (ssize_t)(wanted - delivered), ended, took_s, part(kept, 0.5), part(kept, 0.99),
           part(kept, 1));
    return 0;
}
