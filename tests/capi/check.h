/* The test framework of the C library's own tests: plain C99, as its users write it. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

#include "stemzoo.h"

extern int failures;

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            ++failures;                                                             \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                           \
    } while (0)

/* The call succeeds. */
#define CHECK_OK(call)                                                                     \
    do {                                                                                   \
        const int status_ = (call);                                                        \
        if (status_ != STEMZOO_OK) {                                                       \
            ++failures;                                                                    \
            fprintf(stderr, "%s:%d: %s gave %d: %s\n", __FILE__, __LINE__, #call, status_, \
                    stemzoo_last_error());                                                 \
        }                                                                                  \
    } while (0)

/* The call fails with that status, and with words that hold `part`. */
#define CHECK_FAILS(call, expected, part)                                                       \
    do {                                                                                        \
        const int status_ = (call);                                                             \
        if (status_ != (expected) || strstr(stemzoo_last_error(), part) == NULL) {              \
            ++failures;                                                                         \
            fprintf(stderr, "%s:%d: %s gave %d (expected %d): %s\n", __FILE__, __LINE__, #call, \
                    status_, (int)(expected), stemzoo_last_error());                            \
        }                                                                                       \
    } while (0)

/* A specimen of columns of several heights with noise, the same in every run, in a frame that moved
 * by (dy, dx). */
void specimen(float* pixels, size_t rows, size_t cols, double dy, double dx, unsigned seed);
stemzoo_image image_of(const float* pixels, size_t rows, size_t cols);

void test_images(void);
void test_ncc(void);
void test_drift(void);
void test_rows(void);
void test_models(const char* zoo, int with_runtime);
void test_threads(const char* zoo, int with_runtime);

#endif
