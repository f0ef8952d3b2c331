/* A stand-in for the C library that answers with what it was given, so that the client's structures
 * and errors are tested without ONNX Runtime. */
#include "stemzoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stemzoo_model { char seen[400]; };
struct stemzoo_ncc { size_t max_dy, max_dx; double corner; };
struct stemzoo_estimator { char seen[400]; };
struct stemzoo_tracker { double first; int frames; };

static int alive;
static _Thread_local char message[400];

STEMZOO_API int stub_alive(void) { return alive; }

static int fail(int status, const char *text) {
    snprintf(message, sizeof message, "%s", text);
    return status;
}

static double pixel(const stemzoo_image *image, size_t y, size_t x) {
    if (image->mask && image->mask[(ptrdiff_t)y * image->mask_row_stride + (ptrdiff_t)x]) return -1;
    ptrdiff_t at = (ptrdiff_t)y * image->row_stride + (ptrdiff_t)x * image->col_stride;
    switch (image->dtype) {
        case STEMZOO_U8: return ((const uint8_t *)image->pixels)[at];
        case STEMZOO_I8: return ((const int8_t *)image->pixels)[at];
        case STEMZOO_U16: return ((const uint16_t *)image->pixels)[at];
        case STEMZOO_I16: return ((const int16_t *)image->pixels)[at];
        case STEMZOO_U32: return ((const uint32_t *)image->pixels)[at];
        case STEMZOO_I32: return ((const int32_t *)image->pixels)[at];
        case STEMZOO_U64: return (double)((const uint64_t *)image->pixels)[at];
        case STEMZOO_I64: return (double)((const int64_t *)image->pixels)[at];
        case STEMZOO_F32: return ((const float *)image->pixels)[at];
        default: return ((const double *)image->pixels)[at];
    }
}

const char *stemzoo_version(void) { return STUB_VERSION; }
const char *stemzoo_last_error(void) { return message; }
int stemzoo_runtime_load(const char *path) { return path ? fail(4, "no such runtime") : 0; }
int stemzoo_runtime_info(const char **version, const char **path) {
    *version = "1.19.2";
    *path = "/opt/runtime";
    return 0;
}

static stemzoo_model *opened(const char *what, size_t size, const stemzoo_model_options *options) {
    stemzoo_model *model = calloc(1, sizeof *model);
    int used = snprintf(model->seen, sizeof model->seen, "%s %zu threads=%d", what, size,
                        options ? options->threads : -1);
    for (size_t k = 0; options && k < options->provider_count; ++k) {
        const stemzoo_provider *provider = &options->providers[k];
        used += snprintf(model->seen + used, sizeof model->seen - used, " %s(%s)", provider->name,
                         provider->library ? provider->library : "");
        for (size_t option = 0; option < provider->count; ++option)
            used += snprintf(model->seen + used, sizeof model->seen - used, " %s=%s",
                             provider->keys[option], provider->values[option]);
    }
    ++alive;
    return model;
}

int stemzoo_model_open(const char *path, const stemzoo_model_options *options,
                       stemzoo_model **model) {
    FILE *file = fopen(path, "rb");
    if (!file) return fail(STEMZOO_CANNOT_READ, "cannot read the model: Gr\xc3\xb6\xc3\x9f" "e");
    fclose(file);
    *model = opened(path, 0, options);
    return 0;
}

int stemzoo_model_open_memory(const void *bytes, size_t size, const stemzoo_model_options *options,
                              stemzoo_model **model) {
    if (size < 4 || memcmp(bytes, "ON\0X", 4)) return fail(STEMZOO_BAD_MODEL, "this is no model");
    *model = opened("bytes", size, options);
    return 0;
}

int stemzoo_model_metadata(const stemzoo_model *model, const char *key, const char **value) {
    *value = !strcmp(key, "name") ? "stub" : !strcmp(key, "seen") ? model->seen : NULL;
    return 0;
}

int stemzoo_model_run(const stemzoo_model *model, const stemzoo_image *image,
                      const stemzoo_run_options *options, float *out, ptrdiff_t out_row_stride) {
    (void)model;
    for (size_t done = 1; options->progress && done <= 3; ++done)
        if (options->progress(options->user, done, 3))
            return fail(STEMZOO_CANCELLED, "progress asked to stop");
    double add = options->given_normalisation ? options->mean + options->std : 0;
    for (size_t y = 0; y < image->rows; ++y)
        for (size_t x = 0; x < image->cols; ++x)
            out[(ptrdiff_t)y * out_row_stride + (ptrdiff_t)x] =
                (float)(2 * pixel(image, y, x) + add);
    return 0;
}

int stemzoo_model_close(stemzoo_model *model) { --alive; free(model); return 0; }

int stemzoo_ncc_create(const stemzoo_image *reference, size_t max_dy, size_t max_dx,
                       double min_overlap, int threads, stemzoo_ncc **ncc) {
    if (max_dy >= reference->rows) return fail(STEMZOO_BAD_ARGUMENT, "max_dy is too large");
    stemzoo_ncc *made = calloc(1, sizeof *made);
    made->max_dy = max_dy;
    made->max_dx = max_dx;
    made->corner = pixel(reference, 0, 0) + min_overlap + threads;
    *ncc = made;
    ++alive;
    return 0;
}

int stemzoo_ncc_run(const stemzoo_ncc *ncc, const stemzoo_image *moving, float *surface) {
    size_t count = (2 * ncc->max_dy + 1) * (2 * ncc->max_dx + 1);
    for (size_t k = 0; k < count; ++k)
        surface[k] = (float)(ncc->corner * pixel(moving, 0, 0) + (double)k);
    return 0;
}

int stemzoo_ncc_close(stemzoo_ncc *ncc) { --alive; free(ncc); return 0; }

int stemzoo_estimator_create(size_t rows, size_t cols, const stemzoo_drift_options *options,
                             stemzoo_estimator **estimator) {
    if (options->max_shift >= rows) return fail(STEMZOO_BAD_ARGUMENT, "max_shift is too large");
    *estimator = calloc(1, sizeof **estimator);
    snprintf((*estimator)->seen, 400, "%zu x %zu, %s, max_shift=%zu, renew=%g, threads=%d", rows,
             cols, options->model ? options->model->seen : "classical", options->max_shift,
             options->renew, options->threads);
    ++alive;
    return 0;
}

int stemzoo_estimator_run(const stemzoo_estimator *estimator, const stemzoo_image *reference,
                          const stemzoo_image *moving, stemzoo_drift *drift) {
    memset(drift, 0, sizeof *drift);
    drift->dy = pixel(moving, 0, 0) - pixel(reference, 0, 0);
    drift->dx = (double)moving->rows;
    drift->sigma_y = 0.25;
    drift->sigma_x = INFINITY;
    drift->score = 0.5;
    drift->ambiguous = 7;
    drift->reason = estimator->seen;
    drift->candidate_count = 2;
    drift->candidates[0] = (stemzoo_candidate){1, 2, 0.75};
    drift->candidates[1] = (stemzoo_candidate){3, 4, 0.125};
    return 0;
}

int stemzoo_estimator_close(stemzoo_estimator *estimator) { --alive; free(estimator); return 0; }

int stemzoo_tracker_create(const stemzoo_image *reference, const stemzoo_drift_options *options,
                           stemzoo_tracker **tracker) {
    *tracker = calloc(1, sizeof **tracker);
    (*tracker)->first = pixel(reference, 0, 0) + options->renew;
    ++alive;
    return 0;
}

int stemzoo_tracker_push(stemzoo_tracker *tracker, const stemzoo_image *frame, double time,
                         stemzoo_drift *drift) {
    memset(drift, 0, sizeof *drift);
    drift->dy = pixel(frame, 0, 0) - tracker->first;
    drift->dx = isnan(time) ? -1 : time;
    drift->score = ++tracker->frames;
    drift->resolved = 1;
    drift->reason = "";
    return 0;
}

int stemzoo_tracker_predict(stemzoo_tracker *tracker, double time, double *dy, double *dx,
                            double *sigma_y, double *sigma_x) {
    *dy = tracker->frames;
    *dx = isnan(time) ? -1 : time;
    *sigma_y = 0.5;
    *sigma_x = 0.25;
    return 0;
}

int stemzoo_tracker_close(stemzoo_tracker *tracker) { --alive; free(tracker); return 0; }

int stemzoo_rows_find_progress(const float *image, const float *pilot, size_t rows, size_t cols,
                               const stemzoo_rows_options *options, stemzoo_progress progress,
                               void *user, stemzoo_row *found) {
    for (size_t y = 0; y < rows; ++y) {
        if (progress && progress(user, y + 1, rows)) return fail(STEMZOO_CANCELLED, "progress asked to stop");
        found[y].dy = image[y * cols] - pilot[y * cols];
        found[y].dx = options->slow;
        found[y].sigma_y = (double)options->reach_y;
        found[y].sigma_x = (double)options->reach_x + options->threads;
    }
    return 0;
}

int stemzoo_rows_apply(const float *image, size_t rows, size_t cols, const stemzoo_row *found,
                       float *out) {
    for (size_t y = 0; y < rows; ++y)
        for (size_t x = 0; x < cols; ++x) out[y * cols + x] = image[y * cols + x] + (float)found[y].dx;
    return 0;
}
