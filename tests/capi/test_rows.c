/* Rows of a scan. */
#include <math.h>

#include "check.h"

enum { ROWS = 64, COLS = 80 };

static float clean[ROWS * COLS], jittered[ROWS * COLS], straight[ROWS * COLS];

static double squared_difference(const float* a, const float* b) {
    double sum = 0;
    int row, col;
    for (row = 0; row < ROWS; ++row) {
        for (col = 8; col < COLS - 8; ++col) {
            const double d = (double)a[row * COLS + col] - (double)b[row * COLS + col];
            sum += d * d;
        }
    }
    return sum;
}

struct calls {
    int count, most;
    size_t done;
};

static int counted(void* user, size_t done, size_t total) {
    struct calls* const calls = user;
    CHECK(done > calls->done && done <= total);
    calls->done = done;
    return ++calls->count == calls->most;
}

static void test_progress(void) {
    stemzoo_row rows[ROWS], others[ROWS];
    struct calls all = {0, 0, 0}, few = {0, 2, 0};
    CHECK_OK(stemzoo_rows_find(jittered, clean, ROWS, COLS, NULL, rows));
    CHECK_OK(stemzoo_rows_find_progress(jittered, clean, ROWS, COLS, NULL, counted, &all, others));
    CHECK(memcmp(rows, others, sizeof rows) == 0);
    CHECK(all.count >= 3 && all.done == 3 * ROWS);
    memset(others, 1, sizeof others);
    memcpy(rows, others, sizeof rows);
    CHECK_FAILS(
        stemzoo_rows_find_progress(jittered, clean, ROWS, COLS, NULL, counted, &few, others),
        STEMZOO_CANCELLED, "cancelled");
    CHECK(few.count == 2 && memcmp(rows, others, sizeof rows) == 0);
}

void test_rows(void) {
    stemzoo_row rows[ROWS];
    stemzoo_rows_options options = {0};
    int row, col;
    specimen(clean, ROWS, COLS, 0, 0, 1);
    for (row = 0; row < ROWS; ++row) {
        const int shift = row % 2 == 0 ? 2 : -2; /* image[y, x] = specimen(y, x + shift) */
        for (col = 0; col < COLS; ++col) {
            const int from = col + shift < 0 ? 0 : col + shift >= COLS ? COLS - 1 : col + shift;
            jittered[row * COLS + col] = clean[row * COLS + from];
        }
    }
    CHECK_OK(stemzoo_rows_find(jittered, clean, ROWS, COLS, NULL, rows));
    for (row = 4; row < ROWS - 4; ++row) {
        CHECK(rows[row].dy == 0 && rows[row].sigma_x >= 0);
    }
    CHECK_OK(stemzoo_rows_apply(jittered, ROWS, COLS, rows, straight));
    CHECK(squared_difference(straight, clean) < 0.2 * squared_difference(jittered, clean));
    test_progress();
    /* In place, too. */
    CHECK_OK(stemzoo_rows_apply(jittered, ROWS, COLS, rows, jittered));
    CHECK(memcmp(straight, jittered, sizeof straight) == 0);

    CHECK_FAILS(stemzoo_rows_find(NULL, clean, ROWS, COLS, NULL, rows), STEMZOO_BAD_ARGUMENT,
                "image is NULL");
    CHECK_FAILS(stemzoo_rows_find(clean, NULL, ROWS, COLS, NULL, rows), STEMZOO_BAD_ARGUMENT,
                "pilot is NULL");
    CHECK_FAILS(stemzoo_rows_find(clean, clean, ROWS, COLS, NULL, NULL), STEMZOO_BAD_ARGUMENT,
                "found is NULL");
    CHECK_FAILS(stemzoo_rows_find(clean, clean, 2, 4, NULL, rows), STEMZOO_BAD_ARGUMENT, "reach");
    options.reach_x = (size_t)-1;
    CHECK_FAILS(stemzoo_rows_find(clean, clean, ROWS, COLS, &options, rows), STEMZOO_BAD_ARGUMENT,
                "reach");
    options.reach_x = 5;
    options.slow = NAN;
    CHECK_FAILS(stemzoo_rows_find(clean, clean, ROWS, COLS, &options, rows), STEMZOO_BAD_ARGUMENT,
                "slow");
    rows[3].dx = INFINITY;
    CHECK_FAILS(stemzoo_rows_apply(clean, ROWS, COLS, rows, straight), STEMZOO_BAD_ARGUMENT,
                "displacement of row 3");
    CHECK(memcmp(straight, jittered, sizeof straight) == 0);
    CHECK_FAILS(stemzoo_rows_apply(clean, ROWS, COLS, NULL, straight), STEMZOO_BAD_ARGUMENT,
                "found is NULL");
}
