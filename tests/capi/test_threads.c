/* Four threads share a model, an estimator, an NCC reference and a tracker; errors stay with the
 * thread that made them. */
#include <math.h>
#include <pthread.h>

#include "check.h"

enum { THREADS = 4, TIMES = 3, SIDE = 96, REACH = 4, SURFACE = (2 * REACH + 1) * (2 * REACH + 1) };

struct shared {
    const stemzoo_model* model; /* NULL where there is no ONNX Runtime */
    const stemzoo_estimator* estimator;
    const stemzoo_ncc* ncc;
    stemzoo_tracker* tracker;
    const float *still, *moved, *clean, *surface;
};

struct worker {
    const struct shared* shared;
    int wrong;
    float clean[SIDE * SIDE], surface[SURFACE];
};

static void* work(void* given) {
    struct worker* const own = given;
    const struct shared* const shared = own->shared;
    const stemzoo_image still = image_of(shared->still, SIDE, SIDE);
    const stemzoo_image moved = image_of(shared->moved, SIDE, SIDE);
    stemzoo_drift drift;
    int i;
    for (i = 0; i < TIMES; ++i) {
        if (shared->model != NULL) {
            own->wrong += stemzoo_model_run_f32(shared->model, shared->still, SIDE, SIDE, SIDE,
                                                own->clean, SIDE) != STEMZOO_OK;
            own->wrong += memcmp(own->clean, shared->clean, sizeof own->clean) != 0;
        }
        own->wrong += stemzoo_ncc_run(shared->ncc, &moved, own->surface) != STEMZOO_OK;
        own->wrong += memcmp(own->surface, shared->surface, sizeof own->surface) != 0;
        own->wrong += stemzoo_estimator_run(shared->estimator, &still, &moved, &drift);
        own->wrong += fabs(drift.dy - 2) > 0.3;
        own->wrong += stemzoo_tracker_push(shared->tracker, &moved, NAN, &drift) != STEMZOO_OK;
        own->wrong += fabs(drift.dy - 2) > 0.3;
        own->wrong += stemzoo_ncc_run(NULL, &moved, own->surface) != STEMZOO_BAD_ARGUMENT;
        own->wrong += strstr(stemzoo_last_error(), "ncc is NULL") == NULL;
    }
    return NULL;
}

void test_threads(const char* zoo, int with_runtime) {
    static float still[SIDE * SIDE], moved[SIDE * SIDE], clean[SIDE * SIDE], surface[SURFACE];
    static struct worker workers[THREADS];
    pthread_t threads[THREADS];
    stemzoo_model* model = NULL;
    stemzoo_estimator* estimator = NULL;
    stemzoo_ncc* ncc = NULL;
    stemzoo_tracker* tracker = NULL;
    stemzoo_image image;
    struct shared shared;
    int i;
    specimen(still, SIDE, SIDE, 0, 0, 1);
    specimen(moved, SIDE, SIDE, 2, 1, 2);
    image = image_of(still, SIDE, SIDE);
    CHECK_OK(stemzoo_estimator_create(SIDE, SIDE, NULL, &estimator));
    CHECK_OK(stemzoo_ncc_create(&image, REACH, REACH, 0, 0, &ncc));
    CHECK_OK(stemzoo_tracker_create(&image, NULL, &tracker));
    image = image_of(moved, SIDE, SIDE);
    CHECK_OK(stemzoo_ncc_run(ncc, &image, surface));
    if (with_runtime) {
        char path[4096];
        snprintf(path, sizeof path, "%s/denoise-live/denoise-live-1.0.0.onnx", zoo);
        CHECK_OK(stemzoo_model_open(path, NULL, &model));
        CHECK_OK(stemzoo_model_run_f32(model, still, SIDE, SIDE, SIDE, clean, SIDE));
    }
    shared.model = model;
    shared.estimator = estimator;
    shared.ncc = ncc;
    shared.tracker = tracker;
    shared.still = still;
    shared.moved = moved;
    shared.clean = clean;
    shared.surface = surface;
    CHECK_FAILS(stemzoo_ncc_run(ncc, NULL, surface), STEMZOO_BAD_ARGUMENT, "moving is NULL");
    for (i = 0; i < THREADS; ++i) {
        workers[i].shared = &shared;
        CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (i = 0; i < THREADS; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(workers[i].wrong == 0);
    }
    CHECK(strstr(stemzoo_last_error(), "moving is NULL") != NULL);
    stemzoo_model_close(model);
    stemzoo_estimator_close(estimator);
    stemzoo_ncc_close(ncc);
    stemzoo_tracker_close(tracker);
}
