/* Denoises a raw frame: a file that holds pixels and nothing else, row after row.
 *
 *     denoise_raw denoise-live-1.0.0.onnx frame.raw u16 1024 1024 clean.raw
 *
 * writes 1024 x 1024 pixels of float32. Build with
 *
 *     cc denoise_raw.c $(pkg-config --cflags --libs stemzoo) -o denoise_raw
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stemzoo.h"

struct type {
    const char* name;
    int dtype;
    size_t bytes;
};

static const struct type types[] = {
    {"u8", STEMZOO_U8, 1},   {"i8", STEMZOO_I8, 1},   {"u16", STEMZOO_U16, 2},
    {"i16", STEMZOO_I16, 2}, {"u32", STEMZOO_U32, 4}, {"i32", STEMZOO_I32, 4},
    {"f32", STEMZOO_F32, 4}, {"f64", STEMZOO_F64, 8},
};

static const struct type* type_of(const char* name) {
    size_t i;
    for (i = 0; i < sizeof types / sizeof *types; ++i) {
        if (strcmp(types[i].name, name) == 0) return &types[i];
    }
    return NULL;
}

/* Reads or writes the whole of a buffer; 0 is success. */
static int transfer(const char* path, const char* mode, void* buffer, size_t bytes) {
    FILE* const file = fopen(path, mode);
    size_t done;
    int failed;
    if (file == NULL) {
        perror(path);
        return 1;
    }
    done = *mode == 'r' ? fread(buffer, 1, bytes, file) : fwrite(buffer, 1, bytes, file);
    failed = fclose(file) != 0 || done != bytes;
    if (failed) fprintf(stderr, "%s: %zu of %zu bytes\n", path, done, bytes);
    return failed;
}

static int denoise(const char* model_path, const stemzoo_image* frame, float* clean) {
    stemzoo_model* model = NULL;
    int status = stemzoo_model_open(model_path, NULL, &model);
    if (status == STEMZOO_OK) {
        status = stemzoo_model_run(model, frame, NULL, clean, (ptrdiff_t)frame->cols);
    }
    if (status != STEMZOO_OK) fprintf(stderr, "%s\n", stemzoo_last_error());
    stemzoo_model_close(model);
    return status;
}

int main(int argc, char** argv) {
    const struct type* const type = argc == 7 ? type_of(argv[3]) : NULL;
    const size_t rows = argc == 7 ? strtoul(argv[4], NULL, 10) : 0;
    const size_t cols = argc == 7 ? strtoul(argv[5], NULL, 10) : 0;
    stemzoo_image frame = {0};
    void* pixels;
    float* clean;
    int failed;
    if (type == NULL || rows == 0 || cols == 0 || rows > 32768 || cols > 32768) {
        fprintf(stderr, "usage: %s MODEL FRAME u8|i8|u16|i16|u32|i32|f32|f64 ROWS COLUMNS RESULT\n",
                argv[0]);
        return 2;
    }
    pixels = malloc(rows * cols * type->bytes);
    clean = malloc(rows * cols * sizeof(float));
    if (pixels == NULL || clean == NULL) {
        fprintf(stderr, "not enough memory\n");
        free(pixels);
        free(clean);
        return 1;
    }
    frame.pixels = pixels;
    frame.dtype = type->dtype;
    frame.rows = rows;
    frame.cols = cols;
    frame.row_stride = (ptrdiff_t)cols;
    frame.col_stride = 1;
    failed = transfer(argv[2], "rb", pixels, rows * cols * type->bytes) ||
             denoise(argv[1], &frame, clean) ||
             transfer(argv[6], "wb", clean, rows * cols * sizeof(float));
    free(pixels);
    free(clean);
    return failed;
}
