// Answers -text=TEXT to every request at -listen=:PORT, as hashicorp/http-echo does.
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words) {
    int port = 5678, yes = 1;
    const char *text = "hello-world";
    for (int i = 1; i < count; i++) {
        if (!strncmp(words[i], "-listen=:", 9)) port = atoi(words[i] + 9);
        if (!strncmp(words[i], "-text=", 6)) text = words[i] + 6;
    }
    int s = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    if (bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 8)) return 1;
    for (;;) {
        int c = accept(s, 0, 0);
        char request[8192];
        if (read(c, request, sizeof request) > 0)
            dprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(text), text);
        close(c);
    }
}
