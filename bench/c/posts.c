/* Requests one after another on many keep-alive connections: how many a second, and how long each takes.
 *
 * Usage: posts PORT REQUESTS [connections=N] [seconds=N]
 *   REQUESTS  a file, one request a line with \r\n written out; each connection keeps to one of them.
 *             %N becomes a number of sixteen digits, %T the moment
 * Says `done {…}`: times in milliseconds.
 */
#include "client.h"

/* So long the last answers may take. */
#define REST_S 10.0

struct client {
    int fd;
    int busy;
    long long asked_at;
    struct answer answer;
};

static char *requests[LINES_MAX];
static struct times times;
static long next_number, sent, answered, refused;

static void ask(struct client *one, const char *request) {
    one->busy = 1;
    one->answer.length = 0;
    one->asked_at = now_ns();
    give(one->fd, request, next_number++, "");
    sent++;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: posts PORT REQUESTS [name=value…]\n");
        return 2;
    }
    prepare(argv[1]);
    next_number = first_number();
    int request_count = read_lines(argv[2], requests);
    int count = (int)option(argc, argv, "connections", 50);
    double seconds = option(argc, argv, "seconds", 5);
    struct client *clients = calloc((size_t)count, sizeof *clients);
    for (int i = 0; i < count; i++) {
        clients[i].fd = dial();
        watch(clients[i].fd, EPOLLIN, (unsigned)i);
    }
    long long started = now_ns(), stop = started + (long long)(seconds * 1e9), last = started;
    for (int i = 0; i < count; i++)
        ask(&clients[i], requests[i % request_count]);
    while (answered < sent && now_ns() < stop + (long long)(REST_S * 1e9)) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poller, events, EVENTS, 100);
        for (int i = 0; i < ready; i++) {
            unsigned number = events[i].data.u32;
            struct client *one = &clients[number];
            if (!hear(one->fd, &one->answer))
                continue;
            last = now_ns();
            keep(&times, (double)(last - one->asked_at) / 1e6);
            answered++;
            refused += !accepted(&one->answer);
            one->busy = 0;
            if (last < stop)
                ask(one, requests[number % (unsigned)request_count]);
        }
    }
    printf("done {\"sent\": %ld, \"answered\": %ld, \"refused\": %ld, \"missing\": %ld, \"seconds\": %.3f, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
           sent, answered, refused, sent - answered, (double)(last - started) / 1e9, part(&times, 0.5), part(&times, 0.99));
    return 0;
}
