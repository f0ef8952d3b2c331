/* Random decisions, and pictures of any kind made by them; fuzz.c alone includes this. */
#ifndef STEMZOO_TESTS_RANDOM_PICTURES_H
#define STEMZOO_TESTS_RANDOM_PICTURES_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stemzoo.h"

static unsigned long long state;
static const uint8_t* chosen; /* by libFuzzer */
static size_t chosen_size;

static unsigned noise(unsigned below) { /* PCG */
    const unsigned long long old = state;
    const unsigned shifted = (unsigned)(((old >> 18u) ^ old) >> 27u), turn = (unsigned)(old >> 59u);
    state = old * 6364136223846793005ULL + 1442695040888963407ULL;
    return ((shifted >> turn) | (shifted << ((32u - turn) & 31u))) % below;
}

/* A decision: libFuzzer's, as long as it has made one. */
static unsigned any(unsigned below) {
    unsigned value = 0;
    size_t bytes = below <= 256 ? 1 : 4;
    if (chosen_size < bytes) return noise(below);
    chosen_size -= bytes;
    while (bytes-- > 0) value = value << 8 | *chosen++;
    return value % below;
}

static int rarely(unsigned one_in) { return any(one_in) == 0; }

/* ---- Pictures -------------------------------------------------------------------------------- */

static const size_t bytes_of[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};

struct picture {
    stemzoo_image image;
    void *pixels, *mask; /* memory of exactly the extent, or nothing much where that is refused */
};

static ptrdiff_t wild_stride(void) {
    static const ptrdiff_t wild[] = {0, PTRDIFF_MAX, PTRDIFF_MIN, PTRDIFF_MAX / 8,
                                     -PTRDIFF_MAX / 4};
    return wild[any(sizeof wild / sizeof *wild)];
}

static size_t magnitude(ptrdiff_t stride) { return (size_t)(stride < 0 ? -stride : stride); }

static void fill(void* pixels, size_t bytes, int dtype) {
    size_t i;
    const unsigned kind = any(8);
    for (i = 0; i < bytes; ++i) ((unsigned char*)pixels)[i] = (unsigned char)noise(kind ? 200 : 2);
    if (dtype == STEMZOO_F32) {
        for (i = 0; i < bytes / 4; ++i) {
            float value = (float)noise(1000) * (kind == 1 ? 1e36f : 1.0f);
            if (kind == 2 && noise(50) == 0) value = NAN;
            if (kind == 3 && noise(500) == 0) value = INFINITY;
            if (kind == 4) value = -3.5f;
            memcpy((char*)pixels + 4 * i, &value, 4);
        }
    }
    if (dtype == STEMZOO_F64) {
        for (i = 0; i < bytes / 8; ++i) {
            double value = (double)noise(1000) * (kind == 1 ? 1e305 : 1.0);
            if (kind == 2 && noise(50) == 0) value = NAN;
            memcpy((char*)pixels + 8 * i, &value, 8);
        }
    }
}

static struct picture picture_of(size_t rows, size_t cols) {
    struct picture made = {{0}, NULL, NULL};
    stemzoo_image* const image = &made.image;
    const int transposed = rarely(4);
    size_t extent, before = 0, bytes;
    image->dtype = (int)any(10);
    image->rows = rows;
    image->cols = cols;
    image->col_stride = transposed ? (ptrdiff_t)(rows + any(4)) : 1 + (ptrdiff_t)any(2);
    image->row_stride = transposed ? 1 : (ptrdiff_t)cols * image->col_stride + (ptrdiff_t)any(9);
    if (rarely(3)) image->row_stride = -image->row_stride;
    if (rarely(3)) image->col_stride = -image->col_stride;
    extent = (rows - 1) * magnitude(image->row_stride) + (cols - 1) * magnitude(image->col_stride);
    if (image->row_stride < 0) before += (rows - 1) * magnitude(image->row_stride);
    if (image->col_stride < 0) before += (cols - 1) * magnitude(image->col_stride);
    bytes = bytes_of[image->dtype];
    made.pixels = malloc((extent + 1) * bytes);
    fill(made.pixels, (extent + 1) * bytes, image->dtype);
    image->pixels = (char*)made.pixels + before * bytes;
    if (rarely(3)) {
        const ptrdiff_t pitch = (ptrdiff_t)cols + (ptrdiff_t)any(3);
        const size_t size = (rows - 1) * (size_t)pitch + cols;
        const unsigned share = 1 + any(40);
        size_t i;
        made.mask = malloc(size);
        for (i = 0; i < size; ++i) ((uint8_t*)made.mask)[i] = noise(share) == 0;
        image->mask = made.mask;
        image->mask_row_stride = pitch;
        if (rarely(2)) {
            image->mask += (rows - 1) * (size_t)pitch;
            image->mask_row_stride = -pitch;
        }
    }
    /* What must be refused before a pixel is read. */
    switch (any(60)) {
        case 0:
            image->pixels = NULL;
            break;
        case 1:
            image->dtype = (int)any(1000) - 500;
            break;
        case 2:
            image->rows = any(2) ? 0 : SIZE_MAX - any(3);
            break;
        case 3:
            image->cols = any(2) ? 0 : SIZE_MAX / (1 + any(70));
            break;
        case 4:
            image->row_stride = rows > 1 ? wild_stride() : 0;
            break;
        case 5:
            image->col_stride = cols > 1 ? wild_stride() : 0;
            break;
        case 6:
            image->mask_row_stride = rows > 1 ? wild_stride() : 0;
            break;
        default:
            break;
    }
    if (image->dtype < 0 || image->dtype > 9) return made;
    /* A changed type must not read beyond the memory. */
    if (bytes_of[image->dtype] != bytes) image->dtype = -1;
    return made;
}

static void drop(struct picture* picture) {
    free(picture->pixels);
    free(picture->mask);
}

#endif
