// Says what its container lets it do, then answers 200 to every request on PORT until SIGTERM. With --check, ends with 0 if another one
// does that.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int number) {
    _exit(0);
}

// The rest of the first line in a file that begins like this.
static void show(const char *path, const char *begin, const char *name) {
    char line[256];
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, begin, strlen(begin))) continue;
        printf("%s: %s", name, line + strlen(begin));
        break;
    }
    if (file) fclose(file);
}

static void write_below(const char *folder) {
    char path[256];
    snprintf(path, sizeof path, "%s/written", folder);
    int file = open(path, O_CREAT | O_WRONLY, 0644);
    printf("writes %s: %s\n", path, file < 0 ? strerror(errno) : "yes");
    if (file >= 0) close(file);
}

// A process whose parent has ended belongs to the first one, which has to take note of its end: until then it is there.
static int orphan_stays(void) {
    int ends[2];
    pid_t orphan;
    if (pipe(ends)) return -1;
    pid_t child = fork();
    if (!child) {
        orphan = fork();
        if (!orphan) { usleep(100000); _exit(0); }
        _exit(write(ends[1], &orphan, sizeof orphan) != sizeof orphan);
    }
    waitpid(child, 0, 0);
    if (read(ends[0], &orphan, sizeof orphan) != sizeof orphan) return -1;
    usleep(1000000);
    return !kill(orphan, 0);
}

int main(int count, char **words) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT"))) };
    int s = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    if (count > 1 && !strcmp(words[1], "--check")) {
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return connect(s, (struct sockaddr *)&address, sizeof address) != 0;
    }
    setvbuf(stdout, 0, _IOLBF, 0);
    signal(SIGTERM, end);
    show("/proc/1/comm", "", "first process");
    show("/proc/self/status", "CapEff:\t", "capabilities");
    write_below("");
    write_below("/scratch");
    write_below("/kept");
    show("/proc/mounts", "tmpfs /scratch ", "memory");
    printf("orphan: %s\n", orphan_stays() ? "stays" : "is gone");
    printf("secret: %s\n", getenv("TOKEN") ? getenv("TOKEN") : "none");
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(s, (struct sockaddr *)&address, sizeof address) || listen(s, 8)) { perror("listen"); return 1; }
    for (;;) {
        int c = accept(s, 0, 0);
        char request[1024];
        if (read(c, request, sizeof request) > 0) dprintf(c, "HTTP/1.0 200 OK\r\n\r\nok\n");
        close(c);
    }
}
