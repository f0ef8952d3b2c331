/* Random calls of every entry: shapes, strides, types, NaN, masks, NULL, overlapping memory, spoilt
 * model files. Built with sanitizers, which see what is read or written outside of the memory
 * given.
 *
 *     stemzoo_capi_fuzz ZOO SECONDS [SEED]
 *
 * Every round has a seed of its own; a finding is repeated from the last one printed. Built by the
 * preset `fuzz`, libFuzzer decides what is called, by what of the library that has reached so far:
 *
 *     stemzoo_capi_fuzz -max_total_time=SECONDS [CORPUS]        in the repository's folder
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "random_pictures.h"

static size_t side(void) { return rarely(6) ? 1 + any(4) : 16 + any(60); }

static const stemzoo_image* maybe(const stemzoo_image* image) { return rarely(100) ? NULL : image; }

static void check(int status) {
    if (status < STEMZOO_OK || status >= STEMZOO_INTERNAL) {
        fprintf(stderr, "status %d: %s\n", status, stemzoo_last_error());
        abort();
    }
    if (status != STEMZOO_OK && strlen(stemzoo_last_error()) < 10) abort();
}

/* ---- Entries --------------------------------------------------------------------------------- */

static void correlate(void) {
    const size_t rows = side(), cols = side();
    const size_t dy = rarely(20) ? SIZE_MAX - any(5) : any((unsigned)rows + 1);
    const size_t dx = any((unsigned)cols + 1);
    const double overlaps[] = {0, 0.25, 1, -1, 2, NAN, 1e-9};
    struct picture a = picture_of(rows, cols), b = picture_of(rows, rarely(30) ? side() : cols);
    stemzoo_ncc* ncc = NULL;
    int status = stemzoo_ncc_create(maybe(&a.image), dy, dx, overlaps[any(7)], (int)any(4) - 1,
                                    rarely(100) ? NULL : &ncc);
    check(status);
    drop(&a); /* it was copied */
    if (ncc != NULL) {
        float* const surface = malloc((2 * dy + 1) * (2 * dx + 1) * sizeof(float));
        check(stemzoo_ncc_run(ncc, maybe(&b.image), rarely(100) ? NULL : surface));
        free(surface);
    }
    check(stemzoo_ncc_close(ncc));
    drop(&b);
}

/* What a drift says of itself agrees, whatever the frames were. */
static void check_found(const stemzoo_drift* found) {
    double sum = found->probability;
    size_t i;
    if (!(found->probability >= 0 && found->probability <= 1)) abort();
    if (found->candidate_count > STEMZOO_MAX_CANDIDATES) abort();
    for (i = 0; i < found->candidate_count; ++i) {
        if (!(found->candidates[i].probability >= 0)) abort();
        sum += found->candidates[i].probability;
    }
    if (sum > 1 + 1e-6) abort();
    if (found->reason == NULL || (found->ambiguous != 0) != (*found->reason != 0)) abort();
    if (!found->ambiguous && !(isfinite(found->dy) && isfinite(found->dx))) abort();
}

static void drift(const stemzoo_model* model) {
    const size_t rows = side(), cols = side();
    struct picture a = picture_of(rows, cols), b = picture_of(rows, rarely(30) ? side() : cols);
    stemzoo_drift_options options = {0};
    const double renewals[] = {0, 0.1, 1, -1, 2, NAN};
    const double times[] = {0, 1, 1, 2, NAN, INFINITY, -1};
    stemzoo_estimator* estimator = NULL;
    stemzoo_tracker* tracker = NULL;
    stemzoo_drift found;
    options.model = rarely(3) ? model : NULL;
    options.max_shift = rarely(3) ? 0 : any(100);
    options.renew = renewals[any(6)];
    options.threads = (int)any(3);
    check(stemzoo_estimator_create(rows, cols, rarely(4) ? NULL : &options, &estimator));
    if (estimator != NULL) {
        const int status = stemzoo_estimator_run(estimator, maybe(&a.image), maybe(&b.image),
                                                 rarely(100) ? NULL : &found);
        check(status);
        if (status == STEMZOO_OK) check_found(&found);
    }
    check(stemzoo_tracker_create(maybe(&a.image), rarely(4) ? NULL : &options, &tracker));
    if (tracker != NULL) {
        double numbers[4];
        int i;
        for (i = 0; i < 3; ++i) {
            const int status = stemzoo_tracker_push(tracker, maybe(i == 1 ? &b.image : &a.image),
                                                    times[any(7)], &found);
            check(status);
            if (status == STEMZOO_OK) check_found(&found);
            check(stemzoo_tracker_predict(tracker, times[any(7)], numbers, numbers + 1, numbers + 2,
                                          rarely(50) ? NULL : numbers + 3));
        }
    }
    check(stemzoo_estimator_close(estimator));
    check(stemzoo_tracker_close(tracker));
    drop(&a);
    drop(&b);
}

static int progress(void* user, size_t done, size_t total) {
    if (done > total) abort();
    return rarely(*(unsigned*)user);
}

static void rows_of_a_scan(void) {
    const size_t rows = side(), cols = side(), size = rows * cols;
    float *const image = malloc(size * sizeof(float)), *const pilot = malloc(size * sizeof(float));
    stemzoo_row* const found = calloc(rows, sizeof *found);
    stemzoo_rows_options options = {0};
    const double slows[] = {0, 25, -1, 1e9, NAN, 0.001};
    unsigned patience = 2 + any(9);
    fill(image, size * sizeof(float), STEMZOO_F32);
    fill(pilot, size * sizeof(float), STEMZOO_F32);
    options.reach_y = any(3);
    options.reach_x = rarely(20) ? SIZE_MAX / 2 : any(7);
    options.slow = slows[any(6)];
    options.threads = (int)any(3);
    check(stemzoo_rows_find_progress(image, pilot, rows, cols, rarely(4) ? NULL : &options,
                                     rarely(3) ? progress : NULL, &patience, found));
    if (rarely(4)) {
        const float wild[] = {1e30f, -40, 5, NAN};
        found[any((unsigned)rows)].dx = (double)wild[any(4)];
        found[any((unsigned)rows)].dy = (double)wild[any(4)];
    }
    check(stemzoo_rows_apply(image, rows, cols, found, rarely(2) ? image : pilot));
    free(image);
    free(pilot);
    free(found);
}

static volatile size_t read_so_far;

static void ask(const stemzoo_model* model) {
    const char* const keys[] = {"name", "task", "summary", "halo", "", "no such", NULL};
    const char* value = NULL;
    check(stemzoo_model_metadata(rarely(30) ? NULL : model, keys[any(7)],
                                 rarely(30) ? NULL : &value));
    if (value != NULL) read_so_far += strlen(value); /* sanitizers see if it has no end */
}

static void denoise(const stemzoo_model* model) {
    const size_t rows = side(), cols = side();
    struct picture picture = picture_of(rows, cols);
    const ptrdiff_t pitch = (ptrdiff_t)cols + (ptrdiff_t)any(3);
    const size_t size = (rows - 1) * (size_t)pitch + cols;
    float* const out = malloc(size * sizeof(float));
    stemzoo_run_options options = {0};
    unsigned one_in = 1 + any(4);
    const double numbers[] = {1, 100, 0, -1, NAN, 1e300};
    options.given_normalisation = rarely(3);
    options.mean = numbers[any(6)];
    options.std = numbers[any(6)];
    options.progress = rarely(3) ? progress : NULL;
    options.user = &one_in;
    check(stemzoo_model_run(model, maybe(&picture.image), rarely(3) ? NULL : &options, out,
                            rarely(30) ? wild_stride() : pitch));
    /* over itself, by any distance */
    fill(out, size * sizeof(float), STEMZOO_F32);
    if (rows > 1) {
        const size_t lower = 1 + any((unsigned)rows - 1);
        check(stemzoo_model_run_f32(model, out, rows - lower, cols, pitch,
                                    out + lower * (size_t)pitch, pitch));
    }
    free(out);
    drop(&picture);
}

/* ---- Model files ----------------------------------------------------------------------------- */

struct file {
    unsigned char* bytes;
    size_t size;
};

static struct file read_file(const char* zoo, const char* name) {
    struct file file = {NULL, 0};
    char path[4096];
    FILE* from;
    snprintf(path, sizeof path, "%s/%s", zoo, name);
    from = fopen(path, "rb");
    if (from == NULL || fseek(from, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    file.size = (size_t)ftell(from);
    file.bytes = malloc(file.size);
    rewind(from);
    if (fread(file.bytes, 1, file.size, from) != file.size) exit(2);
    fclose(from);
    return file;
}

/* One thread: there is more to find in more rounds. */
static stemzoo_model_options one_thread(void) {
    stemzoo_model_options options = {0};
    options.threads = 1;
    return options;
}

static void spoilt_model(const struct file* file) {
    size_t size = rarely(3) ? any((unsigned)file->size) : file->size, i;
    unsigned char* const bytes = malloc(size + 1);
    stemzoo_model* model = NULL;
    const unsigned changes = any(4);
    const stemzoo_model_options options = one_thread();
    memcpy(bytes, file->bytes, size);
    for (i = 0; i < changes && size > 0; ++i) {
        /* mostly where the graph is, not in the weights */
        const size_t at = any((unsigned)(rarely(2) ? size : size < 4000 ? size : 4000));
        bytes[at] =
            rarely(2) ? (unsigned char)any(256) : (unsigned char)(bytes[at] ^ (1u << any(8)));
    }
    check(stemzoo_model_open_memory(bytes, size, &options, &model));
    free(bytes);
    if (model != NULL) {
        ask(model);
        denoise(model);
    }
    check(stemzoo_model_close(model));
}

/* ---- What is called -------------------------------------------------------------------------- */

static struct file file;
static stemzoo_model *denoiser, *drifter; /* NULL without ONNX Runtime */

static void open_models(const char* zoo) {
    const stemzoo_model_options options = one_thread();
    char path[4096];
    const int runtime = stemzoo_runtime_load(NULL) == STEMZOO_OK;
    file = read_file(zoo, "denoise-live/denoise-live-1.0.0.onnx");
    if (runtime) {
        check(stemzoo_model_open_memory(file.bytes, file.size, &options, &denoiser));
        snprintf(path, sizeof path, "%s/drift-lattice/drift-lattice-0.3.0.onnx", zoo);
        check(stemzoo_model_open(path, &options, &drifter));
    }
    printf("%s networks\n", runtime ? "with" : "without");
}

static void call_anything(void) {
    switch (any(6)) {
        case 0:
            correlate();
            break;
        case 1:
            drift(drifter);
            break;
        case 2:
            rows_of_a_scan();
            break;
        case 3:
            spoilt_model(&file);
            break;
        default:
            if (denoiser != NULL) denoise(denoiser);
    }
}

#ifdef STEMZOO_LIBFUZZER

int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int LLVMFuzzerInitialize(int* argc, char*** argv) {
    (void)argc;
    (void)argv;
    open_models("zoo");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    chosen = data;
    chosen_size = size;
    state = size;
    call_anything();
    return 0;
}

#else

int main(int argc, char** argv) {
    const double limit = argc > 2 ? atof(argv[2]) : 0;
    unsigned long long seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    const time_t began = time(NULL);
    if (limit <= 0) {
        fprintf(stderr, "usage: %s ZOO SECONDS [SEED]\n", argv[0]);
        return 2;
    }
    open_models(argv[1]);
    for (; difftime(time(NULL), began) < limit; ++seed) {
        state = seed * 0x9E3779B97F4A7C15ULL;
        if (seed % 1000 == 1) printf("seed %llu\n", seed);
        fflush(stdout);
        call_anything();
    }
    printf("no finding up to seed %llu\n", seed);
    stemzoo_model_close(denoiser);
    stemzoo_model_close(drifter);
    free(file.bytes);
    return 0;
}

#endif
