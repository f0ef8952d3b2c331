#include "drift/estimator.hpp"

#include <memory>

#include "capi/drift.hpp"
#include "capi/image.hpp"
#include "capi/status.hpp"
#include "capi/stemzoo.h"

using namespace stemzoo::capi;

struct stemzoo_estimator {
    std::shared_ptr<const stemzoo::drift::Estimator> core;
};

extern "C" {

int stemzoo_estimator_create(size_t rows, size_t cols, const stemzoo_drift_options* options,
                             stemzoo_estimator** estimator) {
    return guarded([&] {
        require(estimator, "estimator");
        const stemzoo::Shape shape = shape_from(rows, cols, "the frame");
        *estimator = new stemzoo_estimator{estimator_from(shape, options)};
    });
}

int stemzoo_estimator_run(const stemzoo_estimator* estimator, const stemzoo_image* reference,
                          const stemzoo_image* moving, stemzoo_drift* drift) {
    return guarded([&] {
        require(estimator, "estimator");
        const Image still = image_from(reference, "reference");
        const Image moved = image_from(moving, "moving");
        require(drift, "drift");
        const auto a = estimator->core->prepare(still.pixels, still.mask(), "reference");
        const auto b = estimator->core->prepare(moved.pixels, moved.mask(), "moving");
        *drift = drift_from(estimator->core->compare(*a, *b), false);
    });
}

int stemzoo_estimator_close(stemzoo_estimator* estimator) {
    return guarded([&] { delete estimator; });
}
}
