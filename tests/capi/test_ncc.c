/* Normalised cross-correlation. */
#include <math.h>
#include <stdint.h>

#include "check.h"

enum { ROWS = 60, COLS = 52, DY = 6, DX = 8, HIGH = 2 * DY + 1, WIDE = 2 * DX + 1 };

static size_t highest(const float* surface) {
    size_t best = 0, i;
    for (i = 0; i < HIGH * WIDE; ++i) {
        if (surface[i] > surface[best]) best = i;
    }
    return best;
}

static void finds_the_shift(const float* still, float* moved) {
    const stemzoo_image reference = image_of(still, ROWS, COLS);
    stemzoo_image moving = image_of(moved, ROWS, COLS);
    static uint8_t mask[ROWS * COLS];
    float surface[HIGH * WIDE], masked[HIGH * WIDE];
    stemzoo_ncc* ncc = NULL;
    CHECK_OK(stemzoo_ncc_create(&reference, DY, DX, 0, 0, &ncc));
    CHECK_OK(stemzoo_ncc_run(ncc, &moving, surface));
    CHECK(highest(surface) == (DY + 3) * WIDE + DX - 5);

    mask[10 * COLS + 10] = 1;
    moving.mask = mask;
    moving.mask_row_stride = COLS;
    moved[10 * COLS + 10] = NAN; /* masked, so it does not matter */
    CHECK_OK(stemzoo_ncc_run(ncc, &moving, masked));
    CHECK(highest(masked) == highest(surface));
    mask[10 * COLS + 10] = 0;
    CHECK_FAILS(stemzoo_ncc_run(ncc, &moving, surface), STEMZOO_BAD_ARGUMENT, "NaN");
    moved[10 * COLS + 10] = 30;

    /* The surface may lie over the image that it is of. */
    moving = image_of(moved, ROWS, COLS);
    CHECK_OK(stemzoo_ncc_run(ncc, &moving, surface));
    CHECK_OK(stemzoo_ncc_run(ncc, &moving, moved + 100));
    CHECK(memcmp(surface, moved + 100, sizeof surface) == 0);
    stemzoo_ncc_close(ncc);
}

static void refuses(const float* still) {
    const stemzoo_image image = image_of(still, ROWS, COLS), small = image_of(still, 30, 30);
    float surface[HIGH * WIDE] = {0};
    stemzoo_ncc* ncc = NULL;
    CHECK_FAILS(stemzoo_ncc_create(&image, 1, 1, 0, 0, NULL), STEMZOO_BAD_ARGUMENT, "ncc is NULL");
    CHECK_FAILS(stemzoo_ncc_create(&image, ROWS, 1, 0, 0, &ncc), STEMZOO_BAD_ARGUMENT, "max_shift");
    CHECK_FAILS(stemzoo_ncc_create(&image, 1, (size_t)-1, 0, 0, &ncc), STEMZOO_BAD_ARGUMENT,
                "max_shift");
    CHECK_FAILS(stemzoo_ncc_create(&image, 1, 1, 1.5, 0, &ncc), STEMZOO_BAD_ARGUMENT,
                "min_overlap");
    CHECK_FAILS(stemzoo_ncc_create(&image, 1, 1, NAN, 0, &ncc), STEMZOO_BAD_ARGUMENT,
                "min_overlap");
    CHECK_FAILS(stemzoo_ncc_create(&image, 1, 1, 0, -1, &ncc), STEMZOO_BAD_ARGUMENT, "threads");
    CHECK(ncc == NULL);
    CHECK_OK(stemzoo_ncc_create(&image, DY, DX, 0, 0, &ncc));
    CHECK_FAILS(stemzoo_ncc_run(NULL, &image, surface), STEMZOO_BAD_ARGUMENT, "ncc is NULL");
    CHECK_FAILS(stemzoo_ncc_run(ncc, &image, NULL), STEMZOO_BAD_ARGUMENT, "surface is NULL");
    CHECK_FAILS(stemzoo_ncc_run(ncc, &small, surface), STEMZOO_BAD_ARGUMENT, "30 x 30");
    CHECK(surface[0] == 0);
    CHECK_OK(stemzoo_ncc_close(ncc));
    CHECK_OK(stemzoo_ncc_close(NULL));
}

void test_ncc(void) {
    static float still[ROWS * COLS], moved[ROWS * COLS];
    specimen(still, ROWS, COLS, 0, 0, 1);
    specimen(moved, ROWS, COLS, 3, -5, 2);
    finds_the_shift(still, moved);
    refuses(still);
}
