/* stemzoo in C: denoise and restore images, measure drift, inside acquisition software.
 *
 * Every function returns a status, 0 for success, and stemzoo_last_error() explains any other. A
 * function that fails writes nothing. What it writes may overlap what it reads. No exception leaves
 * the library, and nothing in it exits or aborts. Objects are opaque: what an `..._open` or
 * `..._create` makes, the `..._close` of the same object frees; NULL is freed in silence. Pointers
 * that are only read belong to the caller and need last no longer than the call.
 *
 * Threads may share models, NCC references and estimators. A tracker is one series: calls from
 * several threads are taken one after the other. No object may be closed while it is in use.
 *
 * Networks need ONNX Runtime 1.19 or later, which is loaded when the first model is opened. All
 * else, the classical drift and the tracker included, works without it.
 *
 * The library and ONNX Runtime stay in memory until the process ends, for their threads do. After a
 * fork, the child has to open its models anew.
 */
#ifndef STEMZOO_H
#define STEMZOO_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(STEMZOO_BUILDING)
#define STEMZOO_API __declspec(dllexport)
#elif defined(_WIN32)
#define STEMZOO_API __declspec(dllimport)
#elif defined(__GNUC__)
#define STEMZOO_API __attribute__((visibility("default")))
#else
#define STEMZOO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status ---------------------------------------------------------------------------------- */

enum stemzoo_status {
    STEMZOO_OK = 0,
    STEMZOO_BAD_ARGUMENT = 1,   /* what the caller gave cannot be used */
    STEMZOO_BAD_MODEL = 2,      /* a file is no model, or one that may not run */
    STEMZOO_CANNOT_READ = 3,    /* a file cannot be opened or read */
    STEMZOO_NO_RUNTIME = 4,     /* ONNX Runtime is missing, too old, or lacks a provider */
    STEMZOO_RUNTIME_FAILED = 5, /* ONNX Runtime reported an error */
    STEMZOO_CANCELLED = 6,      /* the progress callback asked to stop */
    STEMZOO_NO_MEMORY = 7,
    STEMZOO_INTERNAL = 8 /* a defect of stemzoo; please report it */
};

/* The version of this library, such as "0.1.0". The text lasts as long as the process.
 *
 * @code
 * printf("stemzoo %s\n", stemzoo_version());
 * @endcode
 */
STEMZOO_API const char* stemzoo_version(void);

/* What went wrong in the last call of this thread that failed, as a sentence in UTF-8. It is valid
 * until the next call of this thread fails; empty if none has.
 *
 * @code
 * if (stemzoo_model_run_f32(model, frame, 512, 512, 512, clean, 512)) puts(stemzoo_last_error());
 * @endcode
 */
STEMZOO_API const char* stemzoo_last_error(void);

/* ---- Images ---------------------------------------------------------------------------------- */

enum stemzoo_dtype {
    STEMZOO_U8 = 0,
    STEMZOO_I8 = 1,
    STEMZOO_U16 = 2,
    STEMZOO_I16 = 3,
    STEMZOO_U32 = 4,
    STEMZOO_I32 = 5,
    STEMZOO_U64 = 6,
    STEMZOO_I64 = 7,
    STEMZOO_F32 = 8,
    STEMZOO_F64 = 9
};

/* A picture in the caller's memory, in native byte order, of at most 2^30 pixels. Strides count
 * elements, are not 0, and may be negative. `mask`, if it is not NULL, holds one byte per pixel,
 * nonzero where the pixel is no measurement. Other pixels are finite numbers.
 *
 * @code
 * stemzoo_image frame = {pixels, STEMZOO_U16, 512, 512, 512, 1, NULL, 0};
 * @endcode
 */
typedef struct stemzoo_image {
    const void* pixels;
    int dtype; /* enum stemzoo_dtype */
    size_t rows, cols;
    ptrdiff_t row_stride, col_stride;
    const uint8_t* mask;
    ptrdiff_t mask_row_stride;
} stemzoo_image;

/* ---- ONNX Runtime ---------------------------------------------------------------------------- */

/* Loads ONNX Runtime. `path` is its shared library, or NULL: then the file that the environment
 * variable STEMZOO_ORT names, one beside this library, the one of an `onnxruntime` package of
 * Python (in the environment that this library lies in, VIRTUAL_ENV or CONDA_PREFIX), and the
 * system's are tried in this order. Done once a process: a later call with another path fails.
 * Optional, for the first model does it with NULL.
 *
 * @code
 * if (stemzoo_runtime_load("C:/vendor/onnxruntime.dll")) puts(stemzoo_last_error());
 * @endcode
 */
STEMZOO_API int stemzoo_runtime_load(const char* path);

/* The version of the loaded ONNX Runtime, and where it was found; both belong to the library and
 * last as long as the process. NULL arguments are left out. Loads it where that was not done.
 *
 * @code
 * const char *version, *path;
 * if (!stemzoo_runtime_info(&version, &path)) printf("ONNX Runtime %s of %s\n", version, path);
 * @endcode
 */
STEMZOO_API int stemzoo_runtime_info(const char** version, const char** path);

/* ---- Models ---------------------------------------------------------------------------------- */

typedef struct stemzoo_model stemzoo_model;

/* An execution provider of ONNX Runtime by name, such as "CUDAExecutionProvider", with its options
 * as pairs of texts. `library`, if it is not NULL, is a plug-in that brings the provider, which
 * needs ONNX Runtime 1.22 or later. A provider that cannot be used is an error, and never replaced.
 */
typedef struct stemzoo_provider {
    const char* name;
    const char* const* keys;
    const char* const* values;
    size_t count;
    const char* library;
} stemzoo_provider;

/* Set to zero what is not needed: `stemzoo_model_options options = {0};` */
typedef struct stemzoo_model_options {
    const stemzoo_provider* providers; /* the most wanted first; the CPU comes last in any case,
                                          and alone where there are none */
    size_t provider_count;
    int threads; /* 0: all cores */
} stemzoo_model_options;

/* Opens a model file. `options` may be NULL. On success *model is the caller's to close.
 *
 * @code
 * stemzoo_model *model = NULL;
 * if (stemzoo_model_open("denoise-live-1.0.0.onnx", NULL, &model)) {
 *     fprintf(stderr, "%s\n", stemzoo_last_error());
 *     return 1;
 * }
 * @endcode
 */
STEMZOO_API int stemzoo_model_open(const char* path, const stemzoo_model_options* options,
                                   stemzoo_model** model);

/* The same of a file's content in memory, which is the caller's again after the call.
 *
 * @code
 * stemzoo_model_open_memory(resource, resource_size, NULL, &model);
 * @endcode
 */
STEMZOO_API int stemzoo_model_open_memory(const void* bytes, size_t size,
                                          const stemzoo_model_options* options,
                                          stemzoo_model** model);

/* What the model says about itself: `key` is "name", "version", "task", "summary", "limits",
 * "licence", "halo" or any other of its stemzoo.* properties without that prefix. *value belongs to
 * the model; it is NULL if the model does not say.
 *
 * @code
 * const char* task = NULL;
 * stemzoo_model_metadata(model, "task", &task);
 * @endcode
 */
STEMZOO_API int stemzoo_model_metadata(const stemzoo_model* model, const char* key,
                                       const char** value);

/* Runs a model on an image: normalise, split, network, blend. Strides count elements. `out` may be
 * `in`. Drift models read no images: those that make features of a frame are used by an estimator
 * or a tracker; those that read the correlation of two frames, such as vasudevan-drift, are for
 * Python alone.
 *
 * @code
 * stemzoo_model_run_f32(model, frame, 512, 512, 512, clean, 512);
 * @endcode
 */
STEMZOO_API int stemzoo_model_run_f32(const stemzoo_model* model, const float* in, size_t rows,
                                      size_t cols, ptrdiff_t in_row_stride, float* out,
                                      ptrdiff_t out_row_stride);

/* Called from time to time with the part of the work that is done. A result other than 0 cancels
 * the run, which then fails with STEMZOO_CANCELLED. */
typedef int (*stemzoo_progress)(void* user, size_t done, size_t total);

/* Set to zero what is not needed: `stemzoo_run_options options = {0};` */
typedef struct stemzoo_run_options {
    int given_normalisation; /* nonzero: use `mean` and `std` instead of the image's own */
    double mean, std;
    stemzoo_progress progress;
    void* user; /* handed to `progress` */
} stemzoo_run_options;

/* Runs a model on an image of any type, masked or not. `options` may be NULL.
 *
 * @code
 * stemzoo_run_options options = {0};
 * options.progress = stop_when_the_user_asks;
 * stemzoo_model_run(model, &frame, &options, clean, 512);
 * @endcode
 */
STEMZOO_API int stemzoo_model_run(const stemzoo_model* model, const stemzoo_image* image,
                                  const stemzoo_run_options* options, float* out,
                                  ptrdiff_t out_row_stride);

/* Frees the model.
 *
 * @code
 * stemzoo_model_close(model);
 * model = NULL;
 * @endcode
 */
STEMZOO_API int stemzoo_model_close(stemzoo_model* model);

/* ---- Normalised cross-correlation -------------------------------------------------------------
 */

typedef struct stemzoo_ncc stemzoo_ncc;

/* Transforms a reference once, to be correlated with many images of its shape, at shifts of up to
 * `max_dy` and `max_dx` pixels. Where less than the share `min_overlap` of the image is in common
 * (0: a quarter), the correlation is 0. The pixels are copied. On success *ncc is the caller's to
 * close.
 *
 * @code
 * stemzoo_ncc* ncc = NULL;
 * float surface[33 * 33];
 * if (stemzoo_ncc_create(&reference, 16, 16, 0, 0, &ncc)) return 1;
 * while (next_frame(&frame)) stemzoo_ncc_run(ncc, &frame, surface);
 * stemzoo_ncc_close(ncc);
 * @endcode
 */
STEMZOO_API int stemzoo_ncc_create(const stemzoo_image* reference, size_t max_dy, size_t max_dx,
                                   double min_overlap, int threads, stemzoo_ncc** ncc);

/* Writes (2 max_dy + 1) x (2 max_dx + 1) contiguous values of -1 to 1, zero shift in the middle. A
 * peak at (dy, dx) says that features moved by that much from the reference to `moving`. `surface`
 * is the caller's.
 *
 * @code
 * float surface[33 * 33];
 * stemzoo_ncc_run(ncc, &frame, surface);
 * printf("correlation without a shift: %f\n", surface[16 * 33 + 16]);
 * @endcode
 */
STEMZOO_API int stemzoo_ncc_run(const stemzoo_ncc* ncc, const stemzoo_image* moving,
                                float* surface);

/* Frees the transformed reference.
 *
 * @code
 * stemzoo_ncc_close(ncc);
 * @endcode
 */
STEMZOO_API int stemzoo_ncc_close(stemzoo_ncc* ncc);

/* ---- Drift ----------------------------------------------------------------------------------- */

typedef struct stemzoo_candidate {
    double dy, dx, probability;
} stemzoo_candidate;

#define STEMZOO_MAX_CANDIDATES 16

/* Features moved by (dy, dx) pixels: moving(r) = reference(r - d). */
typedef struct stemzoo_drift {
    double dy, dx;           /* NaN where nothing can be said */
    double sigma_y, sigma_x; /* standard deviations; infinite where nothing can be said */
    double score;            /* Pearson's correlation of the overlap once the drift is undone */
    double probability;      /* of (dy, dx): what all other candidates leave of one */
    int ambiguous;           /* nonzero: not to be trusted, `reason` says why */
    int resolved;            /* nonzero: the tracker's prediction chose among the candidates */
    const char* reason;      /* a sentence that lasts as long as the process; "" if none */
    size_t candidate_count;  /* how many of `candidates` are set: other drifts that it could be,
                                the most probable first, at most STEMZOO_MAX_CANDIDATES */
    stemzoo_candidate candidates[STEMZOO_MAX_CANDIDATES];
} stemzoo_drift;

typedef struct stemzoo_estimator stemzoo_estimator;

/* Set to zero what is not needed: `stemzoo_drift_options options = {0};` */
typedef struct stemzoo_drift_options {
    const stemzoo_model* model; /* a drift model, such as drift-lattice, which may be closed before
                                   what is made with it; NULL: the classical way, which needs no
                                   ONNX Runtime */
    size_t max_shift;           /* px; 0: a third of the frame */
    double renew; /* the share of max_shift after which a tracker renews its reference; 0: a half;
                     negative: never */
    int threads;  /* 0: all cores */
} stemzoo_drift_options;

/* Measures pairs of frames of one shape. `options` may be NULL. On success *estimator is the
 * caller's to close.
 *
 * @code
 * stemzoo_estimator* estimator = NULL;
 * if (stemzoo_estimator_create(512, 512, NULL, &estimator)) puts(stemzoo_last_error());
 * @endcode
 */
STEMZOO_API int stemzoo_estimator_create(size_t rows, size_t cols,
                                         const stemzoo_drift_options* options,
                                         stemzoo_estimator** estimator);

/* The drift between two frames, which are only read during the call. *drift is the caller's.
 *
 * @code
 * stemzoo_drift drift;
 * if (stemzoo_estimator_run(estimator, &reference, &moving, &drift) == STEMZOO_OK &&
 *     !drift.ambiguous) {
 *     shift_beam(-drift.dy, -drift.dx);
 * }
 * @endcode
 */
STEMZOO_API int stemzoo_estimator_run(const stemzoo_estimator* estimator,
                                      const stemzoo_image* reference, const stemzoo_image* moving,
                                      stemzoo_drift* drift);

/* Frees the estimator.
 *
 * @code
 * stemzoo_estimator_close(estimator);
 * @endcode
 */
STEMZOO_API int stemzoo_estimator_close(stemzoo_estimator* estimator);

typedef struct stemzoo_tracker stemzoo_tracker;

/* Follows a series whose first frame is `reference`, which is copied. `options` may be NULL. On
 * success *tracker is the caller's to close.
 *
 * @code
 * stemzoo_drift_options options = {0};
 * stemzoo_tracker* tracker = NULL;
 * options.max_shift = 64;
 * if (stemzoo_tracker_create(&first_frame, &options, &tracker)) puts(stemzoo_last_error());
 * @endcode
 */
STEMZOO_API int stemzoo_tracker_create(const stemzoo_image* reference,
                                       const stemzoo_drift_options* options,
                                       stemzoo_tracker** tracker);

/* The drift of the next frame since the first reference. `time` is when it was recorded, on any
 * clock: give one with every frame, or NaN with every frame. A frame that fails changes nothing.
 *
 * @code
 * while (next_frame(&frame)) stemzoo_tracker_push(tracker, &frame, NAN, &drift);
 * @endcode
 */
STEMZOO_API int stemzoo_tracker_push(stemzoo_tracker* tracker, const stemzoo_image* frame,
                                     double time, stemzoo_drift* drift);

/* Where features will be at `time` (NaN: in the next frame) since the first reference, with
 * standard deviations.
 *
 * @code
 * if (!stemzoo_tracker_predict(tracker, NAN, &dy, &dx, &sigma_y, &sigma_x) && sigma_x < 1) {
 *     shift_beam(-dy, -dx);
 * }
 * @endcode
 */
STEMZOO_API int stemzoo_tracker_predict(stemzoo_tracker* tracker, double time, double* dy,
                                        double* dx, double* sigma_y, double* sigma_x);

/* Frees the tracker.
 *
 * @code
 * stemzoo_tracker_close(tracker);
 * @endcode
 */
STEMZOO_API int stemzoo_tracker_close(stemzoo_tracker* tracker);

/* ---- Rows of a scan -------------------------------------------------------------------------- */

/* Where the beam was while each row was recorded: image[y, x] = specimen(y + dy, x + dx). */
typedef struct stemzoo_row {
    double dy, dx;           /* px */
    double sigma_y, sigma_x; /* posterior standard deviations */
} stemzoo_row;

/* Set to zero what is not needed: `stemzoo_rows_options options = {0};` */
typedef struct stemzoo_rows_options {
    size_t reach_y, reach_x; /* px; both 0: along rows only, by up to 5 px */
    double slow; /* rows; slower displacements, beyond what jitter has there, are left to the
                  * specimen. 0: 25; negative: none are */
    int threads; /* 0: all cores */
} stemzoo_rows_options;

/* Places every row by the likelihood of its counts given `pilot`, an estimate of the specimen
 * without noise, such as a network's. Both have rows x cols contiguous pixels, and `found` room for
 * `rows` displacements. Pixels of the image that are NaN say nothing. `options` may be NULL.
 *
 * @code
 * stemzoo_model_run_f32(restorer, image, 512, 512, 512, pilot, 512);
 * stemzoo_rows_find(image, pilot, 512, 512, NULL, rows);
 * stemzoo_rows_apply(image, 512, 512, rows, straight);
 * @endcode
 */
STEMZOO_API int stemzoo_rows_find(const float* image, const float* pilot, size_t rows, size_t cols,
                                  const stemzoo_rows_options* options, stemzoo_row* found);

/* The same, and tells `progress`, on the caller's thread, how far it is; `user` is handed to it. A
 * result other than 0 ends the call with STEMZOO_CANCELLED, and `found` is as it was. `progress` may
 * be NULL.
 *
 * @code
 * stemzoo_rows_find_progress(image, pilot, 512, 512, NULL, stop_when_the_user_asks, NULL, rows);
 * @endcode
 */
STEMZOO_API int stemzoo_rows_find_progress(const float* image, const float* pilot, size_t rows,
                                           size_t cols, const stemzoo_rows_options* options,
                                           stemzoo_progress progress, void* user,
                                           stemzoo_row* found);

/* Writes the image with its rows put where the beam was. All three are the caller's; `out` may be
 * `image`.
 *
 * @code
 * stemzoo_rows_apply(image, 512, 512, rows, image);
 * @endcode
 */
STEMZOO_API int stemzoo_rows_apply(const float* image, size_t rows, size_t cols,
                                   const stemzoo_row* found, float* out);

#ifdef __cplusplus
}
#endif

#endif
