/* What a picture may be, and what is refused: told by the smallest entry that takes one. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "check.h"

enum { ROWS = 40, COLS = 36 };

static int status_of(const stemzoo_image* image) {
    stemzoo_ncc* ncc = NULL;
    const int status = stemzoo_ncc_create(image, 3, 3, 0, 1, &ncc);
    CHECK((status == STEMZOO_OK) == (ncc != NULL));
    stemzoo_ncc_close(ncc);
    return status;
}

static void refuses_what_is_no_picture(const float* pixels) {
    const stemzoo_image good = image_of(pixels, ROWS, COLS);
    const size_t huge = (size_t)1 << (4 * sizeof(size_t) - 1); /* squared, it nearly overflows */
    uint8_t mask[1] = {0};
    stemzoo_image image = good;
    CHECK_OK(status_of(&image));
    CHECK_FAILS(status_of(NULL), STEMZOO_BAD_ARGUMENT, "reference is NULL");
    image.pixels = NULL;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "reference.pixels is NULL");
    image = good;
    image.pixels = (const char*)pixels + 1;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "not aligned");
    image = good;
    image.dtype = 10;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "dtype is 10");
    image.dtype = -1;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "dtype is -1");
    image = good;
    image.rows = 0;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "holds no pixels");
    image.rows = (size_t)-1;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "at most 1073741824");
    image.rows = image.cols = huge;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "at most 1073741824");
    image = good;
    image.row_stride = 0;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "row_stride is 0");
    image.row_stride = PTRDIFF_MAX;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "beyond all memory");
    image.row_stride = PTRDIFF_MIN;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "beyond all memory");
    image = good;
    image.col_stride = 0;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "col_stride is 0");
    image = good;
    image.mask = mask;
    CHECK_FAILS(status_of(&image), STEMZOO_BAD_ARGUMENT, "mask_row_stride is 0");
}

/* Every type and layout of the same counts gives the same bits. */
static void reads_every_type_and_layout(const float* counts) {
    enum { SIDE = 7, SIZE = ROWS * COLS };
    static uint8_t u8[SIZE];
    static int8_t i8[SIZE];
    static uint16_t u16[SIZE];
    static int16_t i16[SIZE];
    static uint32_t u32[SIZE];
    static int32_t i32[SIZE];
    static uint64_t u64[SIZE];
    static int64_t i64[SIZE];
    static float f32[SIZE], sparse[4 * SIZE];
    static double f64[SIZE];
    const void* const pixels[] = {u8, i8, u16, i16, u32, i32, u64, i64, f32, f64};
    float expected[SIDE * SIDE], surface[SIDE * SIDE];
    stemzoo_ncc* ncc = NULL;
    stemzoo_image image;
    int dtype, i;
    for (i = 0; i < SIZE; ++i) {
        const int count = (int)(counts[i] / 4);
        u8[i] = (uint8_t)count;
        i8[i] = (int8_t)count;
        u16[i] = (uint16_t)count;
        i16[i] = (int16_t)count;
        u32[i] = (uint32_t)count;
        i32[i] = count;
        u64[i] = (uint64_t)count;
        i64[i] = count;
        f64[i] = f32[i] = (float)count;
        /* from the last pixel to the first, with gaps */
        sparse[2 * COLS * (2 * (ROWS - 1 - i / COLS)) + 2 * (COLS - 1 - i % COLS)] = (float)count;
    }
    image = image_of(f32, ROWS, COLS);
    CHECK_OK(stemzoo_ncc_create(&image, 3, 3, 0, 1, &ncc));
    CHECK_OK(stemzoo_ncc_run(ncc, &image, expected));
    CHECK(fabs(expected[SIDE * SIDE / 2] - 1) < 1e-6);
    for (dtype = STEMZOO_U8; dtype <= STEMZOO_F64; ++dtype) {
        image.pixels = pixels[dtype];
        image.dtype = dtype;
        CHECK_OK(stemzoo_ncc_run(ncc, &image, surface));
        CHECK(memcmp(surface, expected, sizeof surface) == 0);
    }
    image.dtype = STEMZOO_F32;
    image.pixels = sparse + 2 * COLS * 2 * (ROWS - 1) + 2 * (COLS - 1);
    image.row_stride = -4 * COLS;
    image.col_stride = -2;
    CHECK_OK(stemzoo_ncc_run(ncc, &image, surface));
    CHECK(memcmp(surface, expected, sizeof surface) == 0);
    stemzoo_ncc_close(ncc);
}

void test_images(void) {
    static float pixels[ROWS * COLS];
    specimen(pixels, ROWS, COLS, 0, 0, 1);
    refuses_what_is_no_picture(pixels);
    reads_every_type_and_layout(pixels);
}
