// Answers 200 to `GET /healthz` at the port of $PORT, 404 to anything else, and 500 to all after SIGUSR1.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t ill = 0;

static void end(int signal) { _exit(signal == SIGTERM ? 0 : 1); }
static void fall_ill(int signal) { ill = signal; }

int main(void) {
    struct sigaction act = {.sa_handler = fall_ill, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &act, NULL);
    signal(SIGTERM, end);
    signal(SIGPIPE, SIG_IGN);
    int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    if (bind(server, (struct sockaddr *)&at, sizeof at) || listen(server, 16)) return 2;
    for (;;) {
        int client = accept(server, NULL, NULL);
        char request[4096] = "";
        if (client < 0) continue;
        if (read(client, request, sizeof request - 1) > 0) {
            int asked = strncmp(request, "GET /healthz ", 13) == 0;
            dprintf(client, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", ill ? "500 Ill" : asked ? "200 OK" : "404 Not Found");
        }
        close(client);
    }
}
