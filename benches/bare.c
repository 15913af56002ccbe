/* A program that opens the library and makes its environment, and nothing else: what the harness
 * is compared with. Prints resident and anonymous KiB, first after opening, then with the
 * environment, in which ONNX Runtime registers its operators. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The first members of OrtApiBase and OrtApi, whose order the C API promises to keep. */
struct base {
    void **(*get_api)(uint32_t version);
    const char *(*get_version)(void);
};
enum { API_VERSION = 31, CREATE_ENV = 3, LEVEL_ERROR = 3 };

static void print_memory(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long resident = -1, anonymous = -1;
    while (status && fgets(line, sizeof line, status)) {
        sscanf(line, "VmRSS: %ld", &resident);
        sscanf(line, "RssAnon: %ld", &anonymous);
    }
    if (status) {
        fclose(status);
    }
    printf("%ld %ld\n", resident, anonymous);
}

int main(int argc, char **argv) {
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library) {
        fprintf(stderr, "cannot open the library: %s\n", dlerror());
        return 1;
    }
    print_memory();
    struct base *(*get_base)(void) = (struct base * (*)(void)) dlsym(library, "OrtGetApiBase");
    void **api = get_base ? get_base()->get_api(API_VERSION) : NULL;
    if (!api) {
        fputs("the library has no API of this version\n", stderr);
        return 1;
    }
    void *environment = NULL;
    void *(*create)(int, const char *, void **) =
        (void *(*)(int, const char *, void **)) api[CREATE_ENV];
    if (create(LEVEL_ERROR, "bare", &environment)) {
        fputs("no environment\n", stderr);
        return 1;
    }
    print_memory();
    return 0;
}
