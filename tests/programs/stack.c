// One member of a stack: answers HTTP on PORT with its NAME and the path, /env with its environment (each variable ended by a NUL),
// a WebSocket upgrade by sending back what comes; ends on SIGTERM. FAIL makes it end at once.
// With --check, ends with 0 if another one takes connections.
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

static void end(int number) {
    _exit(0);
}

int main(int count, char **words) {
    signal(SIGTERM, end);
    signal(SIGCHLD, SIG_IGN);
    if (getenv("FAIL")) { puts("failing"); return 3; }
    const char *port = getenv("PORT"), *name = getenv("NAME");
    int s = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(port ? port : "8000")) };
    if (count > 1 && !strcmp(words[1], "--check")) return connect(s, (struct sockaddr *)&address, sizeof address) != 0;
    if (bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 8)) { perror("listen"); return 1; }
    for (;;) {
        int c = accept(s, 0, 0);
        if (fork()) { close(c); continue; }
        char request[8192];
        ssize_t size = read(c, request, sizeof request - 1);
        if (size <= 0) return 0;
        request[size] = 0;
        char *path = strchr(request, ' ') + 1;
        char *rest = strchr(path, ' ');
        *rest++ = 0;
        if (strstr(rest, "pgrade: websocket")) {
            dprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            while ((size = read(c, request, sizeof request)) > 0) write(c, request, size);
            return 0;
        }
        dprintf(c, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n");
        if (strstr(path, "/env")) {
            for (char **one = environ; *one; one++) write(c, *one, strlen(*one) + 1);
        } else {
            char *proto = strstr(rest, "X-Forwarded-Proto: ");
            dprintf(c, "%s %s %.5s\n", name ? name : "nobody", path, proto ? proto + 19 : "none ");
        }
        return 0;
    }
}
