/* Clients that come back all at once: each opens a stream and has then so many events to catch up.
 *
 * Usage: returns PORT REQUESTS [clients=N] [events=N] [seconds=N]
 *   REQUESTS  a file, one request a line with \r\n written out; clients take them in turn
 *   events    marks (@@ and twenty digits) that each must receive
 *   seconds   after which it gives up
 * Connects without waiting for anyone and says `done {…}`: times in milliseconds from the first connect.
 */
#include "client.h"

struct client {
    int fd;
    int asked;
    int over;
    long events;
    int tail_length;
    char tail[TAIL];
};

static char *requests[LINES_MAX];
static struct times times;
static long long started;
static long wanted, caught_up, extra, ended;

static void count_marks(struct client *one, char *buffer, ssize_t got) {
    char *from = buffer, *end = buffer + one->tail_length + got, *next;
    long long moment;
    while ((next = find_mark(from, end, &moment))) {
        from = next;
        if (++one->events > wanted)
            extra++;
        if (one->events == wanted) {
            caught_up++;
            keep(&times, (double)(now_ns() - started) / 1e6);
        }
    }
    size_t rest = (size_t)(end - from) < TAIL ? (size_t)(end - from) : TAIL;
    memmove(one->tail, end - rest, rest);
    one->tail_length = (int)rest;
}

static void take(struct client *one) {
    static char buffer[TAIL + BUFFER];
    memcpy(buffer, one->tail, (size_t)one->tail_length);
    ssize_t got = recv(one->fd, buffer + one->tail_length, BUFFER, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        epoll_ctl(poller, EPOLL_CTL_DEL, one->fd, NULL);
        one->over = 1;
        ended++;
        return;
    }
    count_marks(one, buffer, got);
}

static int dial_at_once(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0 || (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS))
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: returns PORT REQUESTS [name=value…]\n");
        return 2;
    }
    prepare(argv[1]);
    unsigned request_count = (unsigned)read_lines(argv[2], requests);
    unsigned count = (unsigned)option(argc, argv, "clients", 10000);
    wanted = (long)option(argc, argv, "events", 50);
    double seconds = option(argc, argv, "seconds", 60);
    struct client *clients = calloc(count, sizeof *clients);
    started = now_ns();
    for (unsigned i = 0; i < count; i++) {
        clients[i].fd = dial_at_once();
        watch(clients[i].fd, EPOLLOUT, i);
    }
    while (caught_up + ended < count && now_ns() - started < (long long)(seconds * 1e9)) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            struct client *one = &clients[number];
            if (!one->asked) {
                int error = 0;
                socklen_t size = sizeof error;
                getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &size);
                if (error) {
                    errno = error;
                    fail("connect");
                }
                give(one->fd, requests[number % request_count], number, "");
                one->asked = 1;
                struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
                epoll_ctl(poller, EPOLL_CTL_MOD, one->fd, &event);
            } else if (!one->over)
                take(one);
        }
    }
    printf("done {\"clients\": %u, \"caught_up\": %ld, \"ended\": %ld, \"extra\": %ld, "
           "\"p50_ms\": %.1f, \"p99_ms\": %.1f, \"last_ms\": %.1f}\n",
           count, caught_up, ended, extra, part(&times, 0.5), part(&times, 0.99), part(&times, 1));
    return 0;
}
