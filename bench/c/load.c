/* The load: holds many event streams open, sends messages, and says when each of them arrived.
 *
 * One thread, one epoll, no parsing but the search for a mark: a message carries the moment when it was sent,
 * as @@ and twenty digits (CLOCK_MONOTONIC, nanoseconds), and every stream is looked through for it.
 *
 * Usage: load PORT REQUESTS SENDS [streams=N] [readers=N] [rate=N] [seconds=N] [window=N] [socketio=1]
 *   REQUESTS  a file, one request a line with \r\n written out; streams take them in turn
 *   SENDS     a file like it, for sending: %T becomes the moment, %N a number of sixteen digits
 *   readers   streams that hear each message; all unless told
 *   rate      messages a second; 0: the next as soon as fewer than `window` are on their way
 *   others    messages that other loads send, which are heard here too
 *   source    connections come from 127.0.0.N, so that several loads have ports enough
 *   socketio  each stream is a WebSocket that joins, and answers pings
 * Says `asked {}` when every request is out, `open {…}` when every stream has had its first bytes, waits for a line on
 * standard input, sends for `seconds`, waits for what is missing, and says `done {…}`: all times in milliseconds.
 */
#include "client.h"

/* So long a server may take to open all streams, and the last messages to arrive. */
#define OPENING_S 60.0
#define REST_S 10.0

/* Client frames are masked, here with "aaaa": Engine.IO's 40 (join the namespace) and 3 (pong). */
static const char JOIN[] = "\x81\x82" "aaaaUQ", PONG[] = "\x81\x81" "aaaaR", PING[] = "\x81\x01" "2";

struct stream {
    int fd;
    int open;
    int joined;
    int tail_length;
    char tail[TAIL];
};

/* One sender's keep-alive connection: a request is answered before the next one goes out on it. */
struct sender {
    int fd;
    int busy;
    struct answer answer;
};

static struct stream *streams;
static struct sender *senders;
static unsigned stream_count, open_count, ended;
static int socketio;
static char *requests[LINES_MAX], *sends[LINES_MAX];
static struct times latencies;
static long next_number, sent, answered, refused;

/* `buffer` begins with the tail of what came before. */
static void look(struct stream *one, char *buffer, ssize_t got) {
    char *from = buffer, *end = buffer + one->tail_length + got, *next;
    long long moment, now = now_ns();
    while ((next = find_mark(from, end, &moment))) {
        keep(&latencies, (double)(now - moment) / 1e6);
        from = next;
    }
    size_t rest = (size_t)(end - from) < TAIL ? (size_t)(end - from) : TAIL;
    memmove(one->tail, end - rest, rest);
    one->tail_length = (int)rest;
}

/* The WebSocket's side of Socket.IO. Returns whether the stream is open. */
static int join(struct stream *one, char *new, ssize_t got) {
    if (!one->joined) {
        if (memmem(new, (size_t)got, "0{", 2) && send(one->fd, JOIN, sizeof JOIN - 1, MSG_NOSIGNAL) > 0)
            one->joined = 1;
        return 0;
    }
    if (memmem(new, (size_t)got, PING, sizeof PING - 1))
        send(one->fd, PONG, sizeof PONG - 1, MSG_NOSIGNAL);
    return one->open || memmem(new, (size_t)got, "40{", 3);
}

static void take(struct stream *one) {
    static char buffer[TAIL + BUFFER];
    memcpy(buffer, one->tail, (size_t)one->tail_length);
    char *new = buffer + one->tail_length;
    ssize_t got = recv(one->fd, new, BUFFER, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        epoll_ctl(poller, EPOLL_CTL_DEL, one->fd, NULL);
        ended++;
        return;
    }
    if (!one->open && (!socketio || join(one, new, got))) {
        one->open = 1;
        open_count++;
    } else if (socketio)
        join(one, new, got);
    look(one, buffer, got);
}

static void listen_once(int timeout_ms) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        unsigned number = events[i].data.u32;
        if (number < stream_count) {
            take(&streams[number]);
            continue;
        }
        struct sender *one = &senders[number - stream_count];
        if (hear(one->fd, &one->answer)) {
            answered++;
            refused += !accepted(&one->answer);
            one->busy = 0;
        }
    }
}

static void open_streams(int request_count) {
    for (unsigned i = 0; i < stream_count; i++) {
        streams[i].fd = dial();
        give(streams[i].fd, requests[i % (unsigned)request_count], i, "");
        watch(streams[i].fd, EPOLLIN, i);
        listen_once(0);
    }
    printf("asked {}\n");
    fflush(stdout);
    long long stop = now_ns() + (long long)(OPENING_S * 1e9);
    while (open_count < stream_count && !ended && now_ns() < stop)
        listen_once(1000);
}

static void post(struct sender *one, const char *request) {
    one->busy = 1;
    one->answer.length = 0;
    give(one->fd, request, next_number++, "");
    sent++;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: load PORT REQUESTS SENDS [name=value…]\n");
        return 2;
    }
    prepare(argv[1]);
    next_number = first_number();
    int request_count = read_lines(argv[2], requests), send_count = read_lines(argv[3], sends);
    stream_count = (unsigned)option(argc, argv, "streams", 500);
    size_t readers = (size_t)option(argc, argv, "readers", stream_count);
    double rate = option(argc, argv, "rate", 5), seconds = option(argc, argv, "seconds", 5);
    int window = (int)option(argc, argv, "window", 1);
    socketio = (int)option(argc, argv, "socketio", 0);
    size_t others = (size_t)option(argc, argv, "others", 0);
    unsigned last = (unsigned)option(argc, argv, "source", 0);
    if (last)
        come_from(last);
    streams = calloc(stream_count + 1, sizeof *streams);
    senders = calloc((size_t)window, sizeof *senders);

    long long before = now_ns();
    open_streams(request_count);
    printf("open {\"streams\": %u, \"ended\": %u, \"took_ms\": %.1f}\n", open_count, ended, (double)(now_ns() - before) / 1e6);
    fflush(stdout);
    char line[16];
    if (!fgets(line, sizeof line, stdin))
        return 1;

    /* What opening brought is no delivery. */
    latencies.count = 0;
    for (int i = 0; i < window; i++) {
        senders[i].fd = dial();
        watch(senders[i].fd, EPOLLIN, stream_count + (unsigned)i);
    }
    long long started = now_ns(), stop = started + (long long)(seconds * 1e9), moment;
    int turn = 0;
    while ((moment = now_ns()) < stop) {
        long due = rate > 0 ? (long)((double)(moment - started) / 1e9 * rate) + 1 : sent + window;
        for (int i = 0; i < window; i++) {
            /* In turn: none rests for so long that the server would end its connection. */
            struct sender *one = &senders[(turn + i) % window];
            int behind = rate == 0 && sent - (long)(latencies.count / readers) >= window;
            if (!one->busy && sent < due && !behind)
                post(one, sends[sent % send_count]);
        }
        turn = (int)(sent % window);
        listen_once(1);
    }
    long long stopped = now_ns();
    size_t wanted = ((size_t)sent + others) * readers;
    while ((latencies.count < wanted || answered < sent) && now_ns() - stopped < (long long)(REST_S * 1e9))
        listen_once(10);
    double took_s = (double)(now_ns() - started) / 1e9;
    printf("done {\"sent\": %ld, \"answered\": %ld, \"refused\": %ld, \"delivered\": %zu, \"missing\": %zd, \"ended\": %u, "
           "\"seconds\": %.3f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n",
           sent, answered, refused, latencies.count, (ssize_t)(wanted - latencies.count), ended, took_s,
           part(&latencies, 0.5), part(&latencies, 0.99), part(&latencies, 1));
    return 0;
}
