/* The floor: what it costs to write the same bytes to the same sockets, and nothing else.
 *
 * One thread, one epoll. GET answers with the head of an event stream and keeps the connection; POST sends
 * its body as one Server-Sent Event to every open stream, one write() each, and answers 204. What does not
 * fit into a socket is kept for that socket alone and written when it can be.
 *
 * Usage: epoll_server PORT
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
#include <unistd.h>

#define FILES_MAX 65536
#define REQUEST_MAX 16384
#define EVENTS 1024

struct connection {
    char *request; /* until the whole of it is here; an open stream has none */
    size_t length;
    char *unsent;
    size_t unsent_length;
    int streams;
};

static struct connection *connections[FILES_MAX];
static int streams[FILES_MAX], stream_count;
static int poller;

static const char STREAM_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
                                  "Transfer-Encoding: chunked\r\n\r\n";
static const char DONE[] = "HTTP/1.1 204 No Content\r\n\r\n";

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void end(int fd) {
    struct connection *one = connections[fd];
    if (one->streams)
        for (int i = 0; i < stream_count; i++)
            if (streams[i] == fd) {
                streams[i] = streams[--stream_count];
                break;
            }
    free(one->request);
    free(one->unsent);
    free(one);
    connections[fd] = NULL;
    close(fd);
}

static void watch(int fd, unsigned events, int how) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, how, fd, &event))
        fail("epoll_ctl");
}

/* Returns 0 if the peer is gone. */
static int give(int fd, const char *bytes, size_t length) {
    struct connection *one = connections[fd];
    ssize_t written = 0;
    if (!one->unsent_length) {
        written = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (written < 0) {
            if (errno != EAGAIN)
                return 0;
            written = 0;
        }
    }
    if ((size_t)written < length) {
        size_t rest = length - (size_t)written;
        one->unsent = realloc(one->unsent, one->unsent_length + rest);
        memcpy(one->unsent + one->unsent_length, bytes + written, rest);
        if (!one->unsent_length)
            watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        one->unsent_length += rest;
    }
    return 1;
}

static int give_rest(int fd) {
    struct connection *one = connections[fd];
    ssize_t written = send(fd, one->unsent, one->unsent_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0)
        return errno == EAGAIN;
    one->unsent_length -= (size_t)written;
    memmove(one->unsent, one->unsent + written, one->unsent_length);
    if (!one->unsent_length)
        watch(fd, EPOLLIN, EPOLL_CTL_MOD);
    return 1;
}

static void publish(const char *body, size_t length) {
    char frame[REQUEST_MAX + 128];
    size_t event = length + strlen("id: 1763781234567-0\nevent: message.created\ndata: \n\n");
    size_t size = (size_t)sprintf(frame, "%zx\r\nid: 1763781234567-0\nevent: message.created\ndata: ", event);
    memcpy(frame + size, body, length);
    size += length;
    memcpy(frame + size, "\n\n\r\n", 4);
    size += 4;
    for (int i = stream_count - 1; i >= 0; i--)
        if (!give(streams[i], frame, size))
            end(streams[i]);
}

/* Answers every whole request that is here. Returns 0 if the peer is gone. */
static int answer(int fd) {
    struct connection *one = connections[fd];
    for (;;) {
        one->request[one->length] = 0;
        char *body = strstr(one->request, "\r\n\r\n");
        if (!body)
            return 1;
        body += 4;
        if (!strncmp(one->request, "GET ", 4)) {
            one->length = 0;
            free(one->request);
            one->request = NULL;
            one->streams = 1;
            streams[stream_count++] = fd;
            return give(fd, STREAM_HEAD, sizeof STREAM_HEAD - 1);
        }
        char *header = strcasestr(one->request, "\r\ncontent-length:");
        size_t length = header ? strtoul(header + 17, NULL, 10) : 0;
        size_t whole = (size_t)(body - one->request) + length;
        if (one->length < whole)
            return 1;
        publish(body, length);
        if (!give(fd, DONE, sizeof DONE - 1))
            return 0;
        memmove(one->request, one->request + whole, one->length - whole);
        one->length -= whole;
    }
}

static int take(int fd) {
    struct connection *one = connections[fd];
    if (!one->request)
        one->request = malloc(REQUEST_MAX + 1);
    if (one->length >= REQUEST_MAX)
        return 0;
    ssize_t got = recv(fd, one->request + one->length, REQUEST_MAX - one->length, MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    one->length += (size_t)got;
    return answer(fd);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: epoll_server PORT\n");
        return 2;
    }
    struct rlimit files = {FILES_MAX, FILES_MAX};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096))
        fail("listen");
    poller = epoll_create1(0);
    watch(listener, EPOLLIN, EPOLL_CTL_ADD);
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client;
                while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (client >= FILES_MAX) {
                        close(client);
                        continue;
                    }
                    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    connections[client] = calloc(1, sizeof(struct connection));
                    watch(client, EPOLLIN, EPOLL_CTL_ADD);
                }
                continue;
            }
            if (!connections[fd])
                continue; /* ended earlier in this turn */
            int lives = 1;
            if (events[i].events & EPOLLOUT)
                lives = give_rest(fd);
            if (lives && events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                lives = take(fd);
            if (!lives && connections[fd])
                end(fd);
        }
    }
}
