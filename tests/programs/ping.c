// Says what the server at $SERVER (a name) answers to `PING` at the port 6379, and then waits.
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    struct addrinfo *at, hint = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (getaddrinfo(getenv("SERVER"), "6379", &hint, &at) || connect(server, at->ai_addr, at->ai_addrlen)) return 1;
    char answer[64] = "";
    write(server, "PING\r\n", 6);
    if (read(server, answer, sizeof answer - 1) <= 0) return 2;
    printf("answered %s\n", strtok(answer, "\r"));
    fflush(stdout);
    for (;;) pause();
}
