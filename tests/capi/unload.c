/* A host that loads the library by hand, works with it on several threads and closes it again,
 * three times over: what the library has running then must not crash it. `unload LIBRARY` */
#include <stdio.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
typedef FARPROC symbol;
#define OPEN(path) ((void*)LoadLibraryA(path))
#define FIND(library, name) GetProcAddress((HMODULE)(library), name)
#define CLOSE(library) FreeLibrary((HMODULE)(library))
#else
#include <dlfcn.h>
typedef void* symbol;
#define OPEN(path) dlopen(path, RTLD_NOW)
#define FIND(library, name) dlsym(library, name)
#define CLOSE(library) dlclose(library)
#endif

#include "stemzoo.h"

enum { SIDE = 256, REACH = 16, WIDE = 2 * REACH + 1 };

typedef int create_function(const stemzoo_image*, size_t, size_t, double, int, stemzoo_ncc**);
typedef int run_function(const stemzoo_ncc*, const stemzoo_image*, float*);
typedef int close_function(stemzoo_ncc*);

/* C99 has no cast from an object's address to a function's. */
static void take(void* library, const char* name, void* function) {
    const symbol found = FIND(library, name);
    memcpy(function, &found, sizeof found);
}

static int correlate(void* library) {
    static float pixels[SIDE * SIDE], surface[WIDE * WIDE];
    stemzoo_image image = {0};
    create_function* create;
    run_function* run;
    close_function* end;
    stemzoo_ncc* ncc = NULL;
    unsigned noise = 1;
    size_t i;
    for (i = 0; i < SIDE * SIDE; ++i) {
        noise = noise * 1664525u + 1013904223u;
        pixels[i] = (float)(noise >> 20);
    }
    image.pixels = pixels;
    image.dtype = STEMZOO_F32;
    image.rows = image.cols = image.row_stride = SIDE;
    image.col_stride = 1;
    take(library, "stemzoo_ncc_create", &create);
    take(library, "stemzoo_ncc_run", &run);
    take(library, "stemzoo_ncc_close", &end);
    if (create(&image, REACH, REACH, 0, 4, &ncc) != STEMZOO_OK) return 1;
    if (run(ncc, &image, surface) != STEMZOO_OK) return 1;
    return end(ncc) != STEMZOO_OK || surface[WIDE * WIDE / 2] < 0.999f;
}

int main(int argc, char** argv) {
    int time;
    for (time = 0; time < 3; ++time) {
        void* const library = argc == 2 ? OPEN(argv[1]) : NULL;
        if (library == NULL || correlate(library) != 0) {
            fprintf(stderr, "failed the %d. time\n", time + 1);
            return 1;
        }
        CLOSE(library);
    }
    printf("closed three times\n");
    return 0;
}
