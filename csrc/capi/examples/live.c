/* A live view: frames arrive at up to 60 a second, and each newest one is tracked and denoised.
 *
 *     live denoise-live-1.0.0.onnx 300 512        300 frames of 512 x 512 px
 *     live - 300 512                              without a network, which needs no ONNX Runtime
 *
 * One thread simulates a drifting scan. It writes into whichever of two buffers is not being worked
 * on; a frame that nobody has taken when the next one begins is dropped. Printed are the latency,
 * from a frame's arrival to its drift and its clean picture, the frame rate of the view, and how
 * far the measured drift was from the true one. Build with
 *
 *     cc live.c $(pkg-config --cflags --libs stemzoo) -pthread -lm -o live
 */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stemzoo.h"

#define FRAMES_PER_SECOND 60.0
#define MARGIN 40 /* px that the specimen drifts to and fro */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void sleep_until(double time) {
    const double left = time - seconds();
    struct timespec pause;
    if (left <= 0) return;
    pause.tv_sec = (time_t)left;
    pause.tv_nsec = (long)(1e9 * (left - floor(left)));
    nanosleep(&pause, NULL);
}

/* ---- The scan -------------------------------------------------------------------------------- */

struct frame {
    float* pixels;
    double arrived; /* s */
    int drift;      /* px along rows, and half as much across them */
};

struct scan {
    size_t side;
    float* specimen; /* (side + MARGIN) x (side + MARGIN) */
    struct frame buffers[2];
    int ready, taken; /* which buffer holds a new frame, which is worked on; -1: none */
    long dropped;
    int stop;
    pthread_mutex_t mutex;
    pthread_cond_t arrival;
};

/* 0 to 255, without a pattern. */
static unsigned scrambled(unsigned number) {
    number = (number ^ (number >> 15)) * 2246822519u;
    return (number ^ (number >> 13)) & 255u;
}

/* Atomic columns on a lattice, each of a height of its own. */
static void draw(float* specimen, size_t side) {
    const double cell_y = 14, cell_x = 16;
    size_t y, x;
    for (y = 0; y < side; ++y) {
        for (x = 0; x < side; ++x) {
            const double v = (double)y / cell_y, u = (double)x / cell_x;
            const unsigned column = ((unsigned)v * 7919u + (unsigned)u + 1u) * 2654435761u;
            const double height = 10 + (double)scrambled(column) / 4;
            const double wave = (1 - cos(6.283185307 * v)) * (1 - cos(6.283185307 * u));
            specimen[y * side + x] = (float)(height * wave);
        }
    }
}

static void record(const struct scan* scan, struct frame* frame, long number) {
    const long turn = number % (2 * MARGIN);
    const size_t pitch = scan->side + MARGIN;
    unsigned noise = (unsigned)number * 2654435761u + 1u;
    size_t y, x;
    frame->drift = (int)(turn < MARGIN ? turn : 2 * MARGIN - turn);
    for (y = 0; y < scan->side; ++y) {
        const float* const from = scan->specimen +
                                  (y + MARGIN - (size_t)(frame->drift / 2)) * pitch + MARGIN -
                                  (size_t)frame->drift;
        for (x = 0; x < scan->side; ++x) {
            noise = noise * 1664525u + 1013904223u;
            frame->pixels[y * scan->side + x] = from[x] + (float)(noise >> 25);
        }
    }
}

static void* acquire(void* given) {
    struct scan* const scan = given;
    double due = seconds();
    long number = 0;
    for (;;) {
        int into;
        pthread_mutex_lock(&scan->mutex);
        into = scan->taken >= 0 ? 1 - scan->taken : scan->ready == 0 ? 1 : 0;
        if (scan->ready == into) {
            scan->ready = -1; /* nobody took it in time */
            ++scan->dropped;
        }
        pthread_mutex_unlock(&scan->mutex);
        record(scan, &scan->buffers[into], ++number);
        due = fmax(due + 1 / FRAMES_PER_SECOND, seconds()); /* who is late stays late */
        sleep_until(due);
        pthread_mutex_lock(&scan->mutex);
        scan->buffers[into].arrived = seconds();
        scan->ready = into;
        pthread_cond_signal(&scan->arrival);
        if (scan->stop) break;
        pthread_mutex_unlock(&scan->mutex);
    }
    pthread_mutex_unlock(&scan->mutex);
    return NULL;
}

/* The next frame, which is not overwritten until the next call. */
static const struct frame* take(struct scan* scan) {
    pthread_mutex_lock(&scan->mutex);
    scan->taken = -1;
    while (scan->ready < 0) pthread_cond_wait(&scan->arrival, &scan->mutex);
    scan->taken = scan->ready;
    scan->ready = -1;
    pthread_mutex_unlock(&scan->mutex);
    return &scan->buffers[scan->taken];
}

/* ---- The view -------------------------------------------------------------------------------- */

struct view {
    stemzoo_model* model; /* NULL: no picture */
    stemzoo_tracker* tracker;
    float* clean;
    double* latency; /* s, of every frame */
    long frames;
    double largest_error; /* px, of the drift */
    long ambiguous;
};

static stemzoo_image image_of(const float* pixels, size_t side) {
    stemzoo_image image = {0};
    image.pixels = pixels;
    image.dtype = STEMZOO_F32;
    image.rows = image.cols = side;
    image.row_stride = (ptrdiff_t)side;
    image.col_stride = 1;
    return image;
}

/* The drift of a frame since the first, and its clean picture. */
static int show(struct view* view, const struct frame* frame, size_t side, int first) {
    const stemzoo_image image = image_of(frame->pixels, side);
    stemzoo_drift drift;
    int status = stemzoo_tracker_push(view->tracker, &image, frame->arrived, &drift);
    if (status == STEMZOO_OK && view->model != NULL) {
        status = stemzoo_model_run(view->model, &image, NULL, view->clean, (ptrdiff_t)side);
    }
    if (status != STEMZOO_OK) return status;
    if (drift.ambiguous) {
        ++view->ambiguous; /* never move a beam by such a number */
    } else {
        const double dy = drift.dy - (frame->drift / 2 - first / 2);
        const double dx = drift.dx - (frame->drift - first);
        view->largest_error = fmax(view->largest_error, hypot(dy, dx));
    }
    return STEMZOO_OK;
}

static int run(struct view* view, struct scan* scan) {
    const struct frame* frame = take(scan);
    const stemzoo_image reference = image_of(frame->pixels, scan->side);
    const int first = frame->drift;
    int status = stemzoo_tracker_create(&reference, NULL, &view->tracker);
    long i;
    for (i = 0; i < view->frames && status == STEMZOO_OK; ++i) {
        frame = take(scan);
        status = show(view, frame, scan->side, first);
        view->latency[i] = seconds() - frame->arrived;
    }
    return status;
}

static int ascending(const void* a, const void* b) {
    const double x = *(const double*)a, y = *(const double*)b;
    return (x > y) - (x < y);
}

static void report(struct view* view, const struct scan* scan, double took) {
    const long last = view->frames - 1;
    qsort(view->latency, (size_t)view->frames, sizeof(double), ascending);
    printf("%ld frames of %zu x %zu px, %.1f a second, %ld dropped\n", view->frames, scan->side,
           scan->side, (double)view->frames / took, scan->dropped);
    printf("latency: median %.1f ms, 90 %% %.1f, 99 %% %.1f, longest %.1f\n",
           1e3 * view->latency[last / 2], 1e3 * view->latency[last * 9 / 10],
           1e3 * view->latency[last * 99 / 100], 1e3 * view->latency[last]);
    printf("drift: at most %.2f px from the truth, %ld frames ambiguous\n", view->largest_error,
           view->ambiguous);
}

/* Tells what went wrong, if anything did; 0 is success. */
static int told(int status) {
    if (status != STEMZOO_OK) fprintf(stderr, "%s\n", stemzoo_last_error());
    return status != STEMZOO_OK;
}

int main(int argc, char** argv) {
    struct scan scan = {0};
    struct view view = {0};
    pthread_t acquisition;
    double began, took;
    int failed;
    view.frames = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    scan.side = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (view.frames < 1 || view.frames > 1000000000 || scan.side < 64 || scan.side > 8192) {
        fprintf(stderr, "usage: %s MODEL|- FRAMES SIDE\n", argv[0]);
        return 2;
    }
    scan.ready = scan.taken = -1;
    scan.specimen = malloc((scan.side + MARGIN) * (scan.side + MARGIN) * sizeof(float));
    scan.buffers[0].pixels = malloc(scan.side * scan.side * sizeof(float));
    scan.buffers[1].pixels = malloc(scan.side * scan.side * sizeof(float));
    view.clean = malloc(scan.side * scan.side * sizeof(float));
    view.latency = malloc((size_t)view.frames * sizeof(double));
    if (!scan.specimen || !scan.buffers[0].pixels || !scan.buffers[1].pixels || !view.clean ||
        !view.latency) {
        fprintf(stderr, "not enough memory\n");
        return 1;
    }
    draw(scan.specimen, scan.side + MARGIN);
    pthread_mutex_init(&scan.mutex, NULL);
    pthread_cond_init(&scan.arrival, NULL);
    if (strcmp(argv[1], "-") != 0 && told(stemzoo_model_open(argv[1], NULL, &view.model))) return 1;
    if (pthread_create(&acquisition, NULL, acquire, &scan) != 0) return 1;

    began = seconds();
    failed = told(run(&view, &scan));
    took = seconds() - began;
    pthread_mutex_lock(&scan.mutex);
    scan.stop = 1;
    pthread_mutex_unlock(&scan.mutex);
    pthread_join(acquisition, NULL);
    if (!failed) report(&view, &scan, took);
    stemzoo_tracker_close(view.tracker);
    stemzoo_model_close(view.model);
    free(scan.specimen);
    free(scan.buffers[0].pixels);
    free(scan.buffers[1].pixels);
    free(view.clean);
    free(view.latency);
    return failed;
}
