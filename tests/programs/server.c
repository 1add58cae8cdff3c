// Answers 200 to every request on PORT; ends on SIGTERM, unless STUBBORN; asks FRIEND:PORT once before, if there is one.
// With --ask, ends with 0 if another one answers.
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void end(int number) {
    const char *text = "ending on SIGTERM\n";
    write(1, text, strlen(text));
    _exit(0);
}

static int ask(const char *host, const char *port) {
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
    if (getaddrinfo(host, port, &hints, &found)) return 0;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(s, found->ai_addr, found->ai_addrlen)) return 0;
    dprintf(s, "GET / HTTP/1.0\r\n\r\n");
    char answer[64];
    return read(s, answer, sizeof answer) > 12 && !memcmp(answer + 9, "200", 3);
}

int main(int count, char **words) {
    setvbuf(stdout, 0, _IOLBF, 0);
    signal(SIGTERM, getenv("STUBBORN") ? SIG_IGN : end);
    const char *port = getenv("PORT"), *friend_ = getenv("FRIEND");
    if (count > 1 && !strcmp(words[1], "--ask")) return !ask("127.0.0.1", port);
    printf("started with %s and %s as %d\n", count > 1 ? words[1] : "nothing", getenv("GREETING") ? getenv("GREETING") : "nothing", getuid());
    if (friend_) printf("%s %s\n", friend_, ask(friend_, port) ? "answers" : "does not answer");
    if (getenv("SLOW")) sleep(atoi(getenv("SLOW")));
    if (getenv("FAIL")) { puts("failing"); return atoi(getenv("FAIL")); }
    int s = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
    if (bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 8)) { perror("listen"); return 1; }
    for (;;) {
        int c = accept(s, 0, 0);
        char request[1024];
        if (read(c, request, sizeof request) > 0)
            dprintf(c, "HTTP/1.0 %s\r\n\r\nok\n", getenv("SICK") ? "503 Sick" : "200 OK");
        close(c);
    }
}
