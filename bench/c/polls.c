/* Long polls: many clients of which each asks again, from the cursor in the answer, as soon as it is answered.
 *
 * Usage: polls PORT REQUESTS SENDS [clients=N] [rate=N] [seconds=N]
 *   REQUESTS  a file, one request a line with \r\n written out; clients take them in turn. %C is nothing at first,
 *             then &since= and the newest cursor
 *   SENDS     a file like it, for sending: %T becomes the moment, %N a number of sixteen digits
 * Says `open {}` when every client has its first cursor, waits for a line on standard input, sends `rate` messages a
 * second for `seconds`, waits for what is missing, and says `done {…}`: times in milliseconds.
 */
#include "client.h"

#define CURSOR_MAX 64
#define OPENING_S 60.0
#define REST_S 10.0

struct client {
    int fd;
    int has_cursor;
    char cursor[CURSOR_MAX];
    struct answer answer;
};

static struct client *clients;
static unsigned client_count, request_count, with_cursor;
static char *requests[LINES_MAX], *sends[LINES_MAX];
static struct answer sender_answer;
static struct times latencies;
static long next_number, sent, answered, polls, refused;
static int sender;

static void ask(unsigned number) {
    struct client *one = &clients[number];
    one->answer.length = 0;
    give(one->fd, requests[number % request_count], 0, one->cursor);
}

/* The last cursor of an answer is its own; those before belong to its events. */
static void keep_cursor(struct client *one) {
    char *from = one->answer.text, *last = NULL;
    while ((from = strstr(from, "\"cursor\"")))
        last = from += strlen("\"cursor\"");
    last = last ? strchr(last, '"') : NULL;
    char *end = last ? strchr(last + 1, '"') : NULL;
    if (!end || end - last > CURSOR_MAX - 10) {
        fprintf(stderr, "no cursor in %.300s\n", one->answer.text);
        exit(1);
    }
    sprintf(one->cursor, "&since=%.*s", (int)(end - last - 1), last + 1);
    if (!one->has_cursor)
        with_cursor++;
    one->has_cursor = 1;
}

static void take(unsigned number) {
    struct client *one = &clients[number];
    if (!hear(one->fd, &one->answer))
        return;
    polls++;
    refused += !accepted(&one->answer);
    long long moment, now = now_ns();
    char *from = one->answer.text, *end = from + one->answer.length;
    while ((from = find_mark(from, end, &moment)))
        keep(&latencies, (double)(now - moment) / 1e6);
    keep_cursor(one);
    ask(number);
}

static void listen_once(int timeout_ms) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        unsigned number = events[i].data.u32;
        if (number < client_count)
            take(number);
        else if (hear(sender, &sender_answer)) {
            answered++;
            refused += !accepted(&sender_answer);
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: polls PORT REQUESTS SENDS [name=value…]\n");
        return 2;
    }
    prepare(argv[1]);
    next_number = first_number();
    request_count = (unsigned)read_lines(argv[2], requests);
    int send_count = read_lines(argv[3], sends);
    client_count = (unsigned)option(argc, argv, "clients", 500);
    double rate = option(argc, argv, "rate", 5), seconds = option(argc, argv, "seconds", 5);
    clients = calloc(client_count, sizeof *clients);
    for (unsigned i = 0; i < client_count; i++) {
        clients[i].fd = dial();
        watch(clients[i].fd, EPOLLIN, i);
        ask(i);
    }
    sender = dial();
    watch(sender, EPOLLIN, client_count);
    long long stop = now_ns() + (long long)(OPENING_S * 1e9);
    while (with_cursor < client_count && now_ns() < stop)
        listen_once(100);
    printf("open {\"clients\": %u}\n", with_cursor);
    fflush(stdout);
    char line[16];
    if (!fgets(line, sizeof line, stdin))
        return 1;

    polls = 0;
    latencies.count = 0;
    long long started = now_ns(), moment;
    stop = started + (long long)(seconds * 1e9);
    while ((moment = now_ns()) < stop) {
        if (sent == answered && sent < (long)((double)(moment - started) / 1e9 * rate) + 1) {
            sender_answer.length = 0;
            give(sender, sends[sent % send_count], next_number++, "");
            sent++;
        }
        listen_once(1);
    }
    size_t wanted = (size_t)sent * client_count;
    while ((latencies.count < wanted || answered < sent) && now_ns() - stop < (long long)(REST_S * 1e9))
        listen_once(10);
    printf("done {\"sent\": %ld, \"delivered\": %zu, \"missing\": %zd, \"polls\": %ld, \"refused\": %ld, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f}\n",
           sent, latencies.count, (ssize_t)(wanted - latencies.count), polls, refused, part(&latencies, 0.5),
           part(&latencies, 0.99));
    return 0;
}
