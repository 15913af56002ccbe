/* A program that only opens the library: what the harness is compared with. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    if (argc < 2 || !dlopen(argv[1], RTLD_NOW | RTLD_LOCAL)) {
        fprintf(stderr, "cannot open the library: %s\n", dlerror());
        return 1;
    }
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    while (status && fgets(line, sizeof line, status)) {
        if (!strncmp(line, "VmRSS:", 6) || !strncmp(line, "RssAnon:", 8)) {
            fputs(line, stdout);
        }
    }
    return 0;
}
