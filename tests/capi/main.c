/* Tests of the C library: `stemzoo_capi_tests ZOO runtime`, or `ZOO alone` where there is no ONNX
 * Runtime. ZOO is the folder of the models. */
#include <math.h>
#include <stdlib.h>

#include "check.h"

int failures = 0;

static double uniform(unsigned* state) {
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / 16777216.0;
}

void specimen(float* pixels, size_t rows, size_t cols, double dy, double dx, unsigned seed) {
    enum { COLUMNS = 60 };
    double y0[COLUMNS], x0[COLUMNS], height[COLUMNS];
    unsigned fixed = 7, noise = seed;
    size_t i, y, x;
    for (i = 0; i < COLUMNS; ++i) {
        y0[i] = uniform(&fixed) * (double)rows;
        x0[i] = uniform(&fixed) * (double)cols;
        height[i] = 50 + 100 * uniform(&fixed);
    }
    for (y = 0; y < rows; ++y) {
        for (x = 0; x < cols; ++x) {
            double sum = 20 + 4 * (uniform(&noise) - 0.5);
            for (i = 0; i < COLUMNS; ++i) {
                const double ry = (double)y - y0[i] - dy, rx = (double)x - x0[i] - dx;
                const double r = ry * ry + rx * rx;
                if (r < 100) sum += height[i] * exp(-r / 8);
            }
            pixels[y * cols + x] = (float)sum;
        }
    }
}

stemzoo_image image_of(const float* pixels, size_t rows, size_t cols) {
    stemzoo_image image = {0};
    image.pixels = pixels;
    image.dtype = STEMZOO_F32;
    image.rows = rows;
    image.cols = cols;
    image.row_stride = (ptrdiff_t)cols;
    image.col_stride = 1;
    return image;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s ZOO runtime|alone\n", argv[0]);
        return 2;
    }
    {
        const int with_runtime = strcmp(argv[2], "runtime") == 0;
        CHECK(strcmp(stemzoo_last_error(), "") == 0);
        CHECK(strlen(stemzoo_version()) >= 5);
        test_images();
        test_ncc();
        test_drift();
        test_rows();
        test_models(argv[1], with_runtime);
        test_threads(argv[1], with_runtime);
    }
    printf("%s\n", failures == 0 ? "all passed" : "FAILED");
    return failures == 0 ? 0 : 1;
}
