/* Models: opening, metadata, running; and what is said where there is no ONNX Runtime. */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__unix__)
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "check.h"

enum { ROWS = 61, COLS = 83, PITCH = 90 };

static float noisy[ROWS * PITCH], result[ROWS * PITCH], other[ROWS * PITCH];

static const char* in_zoo(const char* zoo, const char* file) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", zoo, file);
    return path;
}

static int same_rows(const float* a, ptrdiff_t a_stride, const float* b, ptrdiff_t b_stride) {
    int row, same = 1;
    for (row = 0; row < ROWS; ++row) {
        same = same && memcmp(a + row * a_stride, b + row * b_stride, COLS * sizeof(float)) == 0;
    }
    return same;
}

static void refuses_files(const char* zoo) {
    stemzoo_model* model = NULL;
    stemzoo_model_options options = {0};
    const unsigned char nonsense[] = "this is no model";
    CHECK_FAILS(stemzoo_model_open(NULL, NULL, &model), STEMZOO_BAD_ARGUMENT, "path is NULL");
    CHECK_FAILS(stemzoo_model_open("x.onnx", NULL, NULL), STEMZOO_BAD_ARGUMENT, "model is NULL");
    CHECK_FAILS(stemzoo_model_open(in_zoo(zoo, "none.onnx"), NULL, &model), STEMZOO_CANNOT_READ,
                "none.onnx");
    CHECK_FAILS(stemzoo_model_open(zoo, NULL, &model), STEMZOO_CANNOT_READ, "no regular file");
    CHECK_FAILS(stemzoo_model_open(in_zoo(zoo, "denoise-live/metrics.json"), NULL, &model),
                STEMZOO_BAD_MODEL, "metrics.json: ");
    CHECK_FAILS(stemzoo_model_open_memory(nonsense, sizeof nonsense, NULL, &model),
                STEMZOO_BAD_MODEL, "the model in memory: ");
    CHECK_FAILS(stemzoo_model_open_memory(NULL, 10, NULL, &model), STEMZOO_BAD_ARGUMENT, "bytes");
    options.threads = -2;
    CHECK_FAILS(stemzoo_model_open_memory(nonsense, sizeof nonsense, &options, &model),
                STEMZOO_BAD_ARGUMENT, "threads is -2");
    options.threads = 0;
    options.provider_count = 1;
    CHECK_FAILS(stemzoo_model_open_memory(nonsense, sizeof nonsense, &options, &model),
                STEMZOO_BAD_ARGUMENT, "options.providers is NULL");
    CHECK(model == NULL);
    CHECK_OK(stemzoo_model_close(NULL));
}

static void tells_its_metadata(const stemzoo_model* model) {
    const char* value = NULL;
    CHECK_OK(stemzoo_model_metadata(model, "name", &value));
    CHECK(value != NULL && strcmp(value, "denoise-live") == 0);
    CHECK_OK(stemzoo_model_metadata(model, "halo", &value));
    CHECK(value != NULL && atoi(value) > 0);
    CHECK_OK(stemzoo_model_metadata(model, "unheard of", &value));
    CHECK(value == NULL);
    CHECK_FAILS(stemzoo_model_metadata(model, NULL, &value), STEMZOO_BAD_ARGUMENT, "key is NULL");
    CHECK_FAILS(stemzoo_model_metadata(model, "name", NULL), STEMZOO_BAD_ARGUMENT, "value is NULL");
    CHECK_FAILS(stemzoo_model_metadata(NULL, "name", &value), STEMZOO_BAD_ARGUMENT,
                "model is NULL");
}

static void runs_on_any_layout(const stemzoo_model* model) {
    stemzoo_image image = image_of(noisy, ROWS, COLS);
    static double as_double[ROWS * COLS];
    int row, col;
    image.row_stride = PITCH;
    CHECK_OK(stemzoo_model_run_f32(model, noisy, ROWS, COLS, PITCH, result, PITCH));
    CHECK(isfinite(result[0]) && result[0] != noisy[0]);

    for (row = 0; row < ROWS; ++row) {
        for (col = 0; col < COLS; ++col) {
            as_double[row * COLS + col] = (double)noisy[row * PITCH + col];
        }
    }
    CHECK_OK(stemzoo_model_run(model, &image, NULL, other, COLS));
    CHECK(same_rows(result, PITCH, other, COLS));
    /* the last row first in memory */
    CHECK_OK(stemzoo_model_run(model, &image, NULL, other + (ROWS - 1) * COLS, -COLS));
    CHECK(same_rows(result, PITCH, other + (ROWS - 1) * COLS, -COLS));
    image.pixels = as_double;
    image.dtype = STEMZOO_F64;
    image.row_stride = COLS;
    CHECK_OK(stemzoo_model_run(model, &image, NULL, other, COLS));
    for (row = 0; row < ROWS; ++row) {
        for (col = 0; col < COLS; ++col) {
            CHECK(fabsf(other[row * COLS + col] - result[row * PITCH + col]) < 1e-3f);
        }
    }

    /* In place, and partly over itself. */
    memcpy(other, noisy, sizeof noisy);
    CHECK_OK(stemzoo_model_run_f32(model, other, ROWS, COLS, PITCH, other, PITCH));
    CHECK(same_rows(result, PITCH, other, PITCH));
    memcpy(other, noisy, sizeof noisy);
    CHECK_OK(stemzoo_model_run_f32(model, other, ROWS, COLS, PITCH, other + 5, PITCH));
    CHECK(same_rows(result, PITCH, other + 5, PITCH));
    memcpy(other, noisy, sizeof noisy);
    CHECK_OK(stemzoo_model_run_f32(model, other, ROWS, COLS, PITCH, other + 3, PITCH - 2));
}

static void takes_masks_and_normalisations(const stemzoo_model* model) {
    static uint8_t mask[ROWS * COLS];
    stemzoo_image image = image_of(noisy, ROWS, COLS);
    stemzoo_run_options options = {0};
    image.row_stride = PITCH;
    image.mask = mask;
    image.mask_row_stride = COLS;
    CHECK_OK(stemzoo_model_run(model, &image, NULL, other, COLS));
    CHECK(same_rows(result, PITCH, other, COLS)); /* nothing is masked */
    mask[0] = 1;
    CHECK_OK(stemzoo_model_run(model, &image, NULL, other, COLS));
    CHECK(!same_rows(result, PITCH, other, COLS));
    noisy[0] = NAN;
    CHECK_OK(stemzoo_model_run(model, &image, NULL, result, COLS));
    CHECK(same_rows(result, COLS, other, COLS));
    noisy[0] = 20;
    memset(mask, 1, sizeof mask);
    CHECK_FAILS(stemzoo_model_run(model, &image, NULL, other, COLS), STEMZOO_BAD_ARGUMENT,
                "masked");

    image.mask = NULL;
    options.given_normalisation = 1;
    options.mean = 50;
    options.std = 30;
    CHECK_OK(stemzoo_model_run(model, &image, &options, other, COLS));
    CHECK(isfinite(other[0]));
    options.std = 0;
    CHECK_FAILS(stemzoo_model_run(model, &image, &options, other, COLS), STEMZOO_BAD_ARGUMENT,
                "options.std 0");
    options.std = NAN;
    CHECK_FAILS(stemzoo_model_run(model, &image, &options, other, COLS), STEMZOO_BAD_ARGUMENT,
                "options.std");
}

struct progress {
    size_t calls, done, total, stop_at;
};

static int note(void* user, size_t done, size_t total) {
    struct progress* const progress = user;
    ++progress->calls;
    progress->done = done;
    progress->total = total;
    return progress->calls == progress->stop_at;
}

static void can_be_cancelled(const stemzoo_model* model) {
    enum { HIGH = 300, WIDE = 5000 }; /* several tiles */
    float* const large = malloc(sizeof(float) * HIGH * WIDE);
    float* const clean = calloc(HIGH * WIDE, sizeof(float));
    struct progress progress = {0, 0, 0, 0};
    stemzoo_run_options options = {0};
    stemzoo_image image;
    size_t i;
    if (large == NULL || clean == NULL) {
        CHECK(!"no memory");
        free(large);
        free(clean);
        return;
    }
    for (i = 0; i < HIGH * WIDE; ++i) large[i] = (float)(i % 97);
    image = image_of(large, HIGH, WIDE);
    options.progress = note;
    options.user = &progress;
    progress.stop_at = 2;
    CHECK_FAILS(stemzoo_model_run(model, &image, &options, clean, WIDE), STEMZOO_CANCELLED,
                "cancelled");
    CHECK(progress.calls == 2 && progress.done < progress.total);
    CHECK(clean[0] == 0 && clean[HIGH * WIDE - 1] == 0);
    free(large);
    free(clean);
}

static void refuses_images(const stemzoo_model* model) {
    const float before = result[0];
    CHECK_FAILS(stemzoo_model_run_f32(model, NULL, ROWS, COLS, PITCH, result, PITCH),
                STEMZOO_BAD_ARGUMENT, "in is NULL");
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, COLS, PITCH, NULL, PITCH),
                STEMZOO_BAD_ARGUMENT, "out is NULL");
    CHECK_FAILS(stemzoo_model_run_f32(NULL, noisy, ROWS, COLS, PITCH, result, PITCH),
                STEMZOO_BAD_ARGUMENT, "model is NULL");
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, 0, PITCH, result, PITCH),
                STEMZOO_BAD_ARGUMENT, "holds no pixels");
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, 1, 1, 1, result, 1), STEMZOO_BAD_ARGUMENT,
                "one pixel");
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, COLS, 0, result, PITCH),
                STEMZOO_BAD_ARGUMENT, "in's row stride is 0");
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, COLS, PITCH, result, COLS - 1),
                STEMZOO_BAD_ARGUMENT, "so that no rows overlap");
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, COLS, PITCH,
                                      (float*)(void*)((char*)result + 1), PITCH),
                STEMZOO_BAD_ARGUMENT, "not aligned");
    noisy[7] = INFINITY;
    CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, COLS, PITCH, result, PITCH),
                STEMZOO_BAD_ARGUMENT, "NaN or infinity");
    noisy[7] = 20;
    CHECK(result[0] == before);
}

static void drifts_by_a_network(const char* zoo, const stemzoo_model* denoiser) {
    enum { SIDE = 128 };
    static float still[SIDE * SIDE], moved[SIDE * SIDE];
    stemzoo_model *model = NULL, *surfaces = NULL;
    stemzoo_estimator* estimator = NULL;
    stemzoo_drift_options options = {0};
    stemzoo_image a, b;
    stemzoo_drift drift;
    specimen(still, SIDE, SIDE, 0, 0, 1);
    specimen(moved, SIDE, SIDE, -6.2, 3.1, 2);
    a = image_of(still, SIDE, SIDE);
    b = image_of(moved, SIDE, SIDE);
    CHECK_OK(
        stemzoo_model_open(in_zoo(zoo, "drift-lattice/drift-lattice-0.3.0.onnx"), NULL, &model));
    options.model = model;
    CHECK_OK(stemzoo_estimator_create(SIDE, SIDE, &options, &estimator));
    CHECK_FAILS(stemzoo_model_run_f32(model, still, SIDE, SIDE, SIDE, moved, SIDE),
                STEMZOO_BAD_ARGUMENT, "reads what is made of two frames");
    CHECK_OK(stemzoo_model_close(model)); /* the estimator holds the network */
    CHECK_OK(stemzoo_estimator_run(estimator, &a, &b, &drift));
    CHECK(fabs(drift.dy + 6.2) < 0.3 && fabs(drift.dx - 3.1) < 0.3 && !drift.ambiguous);
    CHECK_OK(stemzoo_estimator_close(estimator));
    estimator = NULL;

    options.model = denoiser;
    CHECK_FAILS(stemzoo_estimator_create(SIDE, SIDE, &options, &estimator), STEMZOO_BAD_ARGUMENT,
                "denoise-live is a model for denoise");
    CHECK_OK(stemzoo_model_open(in_zoo(zoo, "vasudevan-drift/vasudevan-drift-0.2.0.onnx"), NULL,
                                &surfaces));
    options.model = surfaces;
    CHECK_FAILS(stemzoo_estimator_create(SIDE, SIDE, &options, &estimator), STEMZOO_BAD_ARGUMENT,
                "the correlation of two frames, for which the C library has no call");
    CHECK_OK(stemzoo_model_close(surfaces));
}

static void refuses_providers(const char* zoo) {
    const char* const keys[] = {"key", NULL};
    const char* const path = in_zoo(zoo, "denoise-live/denoise-live-1.0.0.onnx");
    stemzoo_provider providers[2] = {{0}, {0}};
    stemzoo_model_options options = {0};
    stemzoo_model* model = NULL;
    options.providers = providers;
    options.provider_count = 1;
    CHECK_FAILS(stemzoo_model_open(path, &options, &model), STEMZOO_BAD_ARGUMENT,
                "the name of a provider is NULL");
    providers[0].name = "NoSuchExecutionProvider";
    CHECK_FAILS(stemzoo_model_open(path, &options, &model), STEMZOO_NO_RUNTIME,
                "NoSuchExecutionProvider cannot be used");
    providers[0].library = "no_such_plugin.so";
    CHECK_FAILS(stemzoo_model_open(path, &options, &model), STEMZOO_NO_RUNTIME,
                "NoSuchExecutionProvider cannot be used");
    providers[0].library = NULL;
    providers[0].keys = providers[0].values = keys;
    providers[0].count = 2;
    CHECK_FAILS(stemzoo_model_open(path, &options, &model), STEMZOO_BAD_ARGUMENT, "is NULL");
    providers[0].count = 0;
    providers[0].name = "CPUExecutionProvider";
    providers[1].name = "NoSuchExecutionProvider";
    options.provider_count = 2;
    CHECK_FAILS(stemzoo_model_open(path, &options, &model), STEMZOO_NO_RUNTIME, "last");
    CHECK(model == NULL);
    options.provider_count = 1;
    options.threads = 1;
    CHECK_OK(stemzoo_model_open(path, &options, &model));
    CHECK_OK(stemzoo_model_close(model));
}

static void loads_one_runtime(void) {
    const char *version = NULL, *path = NULL;
    CHECK_OK(stemzoo_runtime_info(&version, &path));
    CHECK(version != NULL && path != NULL && atoi(version) >= 1);
    CHECK_OK(stemzoo_runtime_info(NULL, NULL));
    CHECK_OK(stemzoo_runtime_load(NULL));
    CHECK_OK(stemzoo_runtime_load(path));
    CHECK_FAILS(stemzoo_runtime_load("another.so"), STEMZOO_NO_RUNTIME, "is loaded from");
    printf("ONNX Runtime %s\n", version);
}

#if defined(__unix__)
static void does_not_hang_after_a_fork(const stemzoo_model* model) {
    const pid_t child = fork();
    int status = -1;
    if (child == 0) {
        failures = 0;
        CHECK_FAILS(stemzoo_model_run_f32(model, noisy, ROWS, COLS, PITCH, result, PITCH),
                    STEMZOO_RUNTIME_FAILED, "is a fork");
        _exit(failures);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}
#endif

static void says_that_there_is_no_runtime(const char* zoo) {
    stemzoo_model* model = NULL;
    CHECK_FAILS(stemzoo_runtime_load("no/such/file"), STEMZOO_NO_RUNTIME, "no/such/file");
    CHECK_FAILS(stemzoo_runtime_info(NULL, NULL), STEMZOO_NO_RUNTIME, "STEMZOO_ORT");
    CHECK_FAILS(
        stemzoo_model_open(in_zoo(zoo, "denoise-live/denoise-live-1.0.0.onnx"), NULL, &model),
        STEMZOO_NO_RUNTIME, "STEMZOO_ORT");
    CHECK(model == NULL);
}

void test_models(const char* zoo, int with_runtime) {
    stemzoo_model* model = NULL;
    refuses_files(zoo);
    if (!with_runtime) {
        says_that_there_is_no_runtime(zoo);
        return;
    }
    specimen(noisy, ROWS, PITCH, 0, 0, 3);
    loads_one_runtime();
    refuses_providers(zoo);
    CHECK_OK(stemzoo_model_open(in_zoo(zoo, "denoise-live/denoise-live-1.0.0.onnx"), NULL, &model));
    if (model == NULL) return;
    tells_its_metadata(model);
    runs_on_any_layout(model);
    takes_masks_and_normalisations(model);
    can_be_cancelled(model);
    refuses_images(model);
    drifts_by_a_network(zoo, model);
#if defined(__unix__)
    does_not_hang_after_a_fork(model);
#endif
    CHECK_OK(stemzoo_model_close(model));
}
