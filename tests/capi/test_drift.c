/* The pair estimator and the tracker, the classical way. */
#include <math.h>
#include <stdint.h>

#include "check.h"

enum { SIDE = 96 };

static float still[SIDE * SIDE], moved[SIDE * SIDE];

static int near(double a, double b) { return fabs(a - b) < 0.3; }

static void estimates_a_pair(void) {
    const stemzoo_image reference = image_of(still, SIDE, SIDE);
    stemzoo_image moving = image_of(moved, SIDE, SIDE), small = image_of(still, 64, 64);
    static uint8_t all[SIDE * SIDE];
    stemzoo_estimator* estimator = NULL;
    stemzoo_drift drift, before;
    CHECK_OK(stemzoo_estimator_create(SIDE, SIDE, NULL, &estimator));
    CHECK_OK(stemzoo_estimator_run(estimator, &reference, &moving, &drift));
    CHECK(near(drift.dy, 4.4) && near(drift.dx, -7.3));
    CHECK(!drift.ambiguous && !drift.resolved && drift.score > 0.5);
    CHECK(drift.probability > 0.93 && drift.probability <= 1);
    CHECK(drift.sigma_y > 0 && drift.sigma_y < 0.5 && drift.sigma_x < 0.5);
    CHECK(strcmp(drift.reason, "") == 0);
    CHECK(drift.candidate_count <= STEMZOO_MAX_CANDIDATES);

    before = drift;
    CHECK_FAILS(stemzoo_estimator_run(estimator, &small, &moving, &drift), STEMZOO_BAD_ARGUMENT,
                "reference is 64 x 64");
    CHECK_FAILS(stemzoo_estimator_run(estimator, &reference, NULL, &drift), STEMZOO_BAD_ARGUMENT,
                "moving is NULL");
    memset(all, 1, sizeof all);
    moving.mask = all;
    moving.mask_row_stride = SIDE;
    CHECK_FAILS(stemzoo_estimator_run(estimator, &reference, &moving, &drift), STEMZOO_BAD_ARGUMENT,
                "every pixel of moving is masked");
    CHECK(memcmp(&drift, &before, sizeof drift) == 0);
    CHECK_FAILS(stemzoo_estimator_run(estimator, &reference, &reference, NULL),
                STEMZOO_BAD_ARGUMENT, "drift is NULL");
    CHECK_FAILS(stemzoo_estimator_run(NULL, &reference, &reference, &drift), STEMZOO_BAD_ARGUMENT,
                "estimator is NULL");
    CHECK_OK(stemzoo_estimator_close(estimator));
    CHECK_OK(stemzoo_estimator_close(NULL));
}

static void knows_when_nothing_can_be_said(void) {
    static float blank[SIDE * SIDE];
    const stemzoo_image a = image_of(still, SIDE, SIDE), b = image_of(blank, SIDE, SIDE);
    stemzoo_estimator* estimator = NULL;
    stemzoo_tracker* tracker = NULL;
    stemzoo_drift drift;
    CHECK_OK(stemzoo_estimator_create(SIDE, SIDE, NULL, &estimator));
    CHECK_OK(stemzoo_estimator_run(estimator, &a, &b, &drift));
    CHECK(drift.ambiguous && isnan(drift.dy) && isinf(drift.sigma_x) && drift.probability == 0);
    CHECK(strlen(drift.reason) > 10);
    stemzoo_estimator_close(estimator);
    CHECK_FAILS(stemzoo_tracker_create(&b, NULL, &tracker), STEMZOO_BAD_ARGUMENT,
                "all pixels of reference are equal");
}

static void refuses_options(void) {
    const stemzoo_image image = image_of(still, SIDE, SIDE);
    stemzoo_drift_options options = {0};
    stemzoo_estimator* estimator = NULL;
    stemzoo_tracker* tracker = NULL;
    options.max_shift = SIDE;
    CHECK_FAILS(stemzoo_estimator_create(SIDE, SIDE, &options, &estimator), STEMZOO_BAD_ARGUMENT,
                "max_shift is 96; expected at most 95");
    options.max_shift = 10;
    options.threads = 5000;
    CHECK_FAILS(stemzoo_estimator_create(SIDE, SIDE, &options, &estimator), STEMZOO_BAD_ARGUMENT,
                "threads is 5000");
    options.threads = 0;
    options.renew = 1.5;
    CHECK_FAILS(stemzoo_tracker_create(&image, &options, &tracker), STEMZOO_BAD_ARGUMENT, "renew");
    options.renew = NAN;
    CHECK_FAILS(stemzoo_tracker_create(&image, &options, &tracker), STEMZOO_BAD_ARGUMENT, "renew");
    CHECK_FAILS(stemzoo_estimator_create(0, SIDE, NULL, &estimator), STEMZOO_BAD_ARGUMENT,
                "holds no pixels");
    CHECK_FAILS(stemzoo_estimator_create(SIDE, SIDE, NULL, NULL), STEMZOO_BAD_ARGUMENT, "NULL");
    CHECK_FAILS(stemzoo_tracker_create(&image, NULL, NULL), STEMZOO_BAD_ARGUMENT, "NULL");
    CHECK(estimator == NULL && tracker == NULL);
}

static void tracks_a_series(double first_time, double step) {
    stemzoo_image frame = image_of(still, SIDE, SIDE);
    stemzoo_drift_options options = {0};
    stemzoo_tracker* tracker = NULL;
    stemzoo_drift drift = {0};
    double dy, dx, sigma_y, sigma_x;
    int i;
    options.max_shift = 20;
    CHECK_OK(stemzoo_tracker_create(&frame, &options, &tracker));
    for (i = 1; i <= 8; ++i) {
        specimen(moved, SIDE, SIDE, 1.5 * i, -0.8 * i, 10u + (unsigned)i);
        frame = image_of(moved, SIDE, SIDE);
        CHECK_OK(stemzoo_tracker_push(tracker, &frame, first_time + step * i, &drift));
        CHECK(near(drift.dy, 1.5 * i) && near(drift.dx, -0.8 * i) && !drift.ambiguous);
    }
    CHECK_OK(stemzoo_tracker_predict(tracker, NAN, &dy, &dx, &sigma_y, &sigma_x));
    CHECK(near(dy, 1.5 * 9) && near(dx, -0.8 * 9) && sigma_y > 0 && sigma_x > 0);
    /* A frame that fails changes nothing. */
    moved[0] = NAN;
    moved[SIDE * SIDE / 2 + SIDE / 2] = INFINITY;
    CHECK_FAILS(stemzoo_tracker_push(tracker, &frame, first_time + step * 9, &drift),
                STEMZOO_BAD_ARGUMENT, "NaN or infinity");
    if (!isnan(first_time)) {
        specimen(moved, SIDE, SIDE, 1.5 * 9, -0.8 * 9, 40);
        CHECK_FAILS(stemzoo_tracker_push(tracker, &frame, first_time, &drift), STEMZOO_BAD_ARGUMENT,
                    "time is");
        CHECK_FAILS(stemzoo_tracker_push(tracker, &frame, NAN, &drift), STEMZOO_BAD_ARGUMENT,
                    "time");
    }
    {
        double again;
        CHECK_OK(stemzoo_tracker_predict(tracker, NAN, &again, &dx, &sigma_y, &sigma_x));
        CHECK(again == dy);
    }
    CHECK_FAILS(stemzoo_tracker_predict(tracker, NAN, NULL, &dx, &sigma_y, &sigma_x),
                STEMZOO_BAD_ARGUMENT, "dy is NULL");
    CHECK_FAILS(stemzoo_tracker_push(NULL, &frame, NAN, &drift), STEMZOO_BAD_ARGUMENT,
                "tracker is NULL");
    CHECK_OK(stemzoo_tracker_close(tracker));
    CHECK_OK(stemzoo_tracker_close(NULL));
}

void test_drift(void) {
    specimen(still, SIDE, SIDE, 0, 0, 1);
    specimen(moved, SIDE, SIDE, 4.4, -7.3, 2);
    estimates_a_pair();
    knows_when_nothing_can_be_said();
    refuses_options();
    tracks_a_series(NAN, 0);
    tracks_a_series(100, 0.5);
}
