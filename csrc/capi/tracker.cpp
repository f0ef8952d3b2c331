#include "drift/tracker.hpp"

#include <cmath>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include "capi/drift.hpp"
#include "capi/image.hpp"
#include "capi/status.hpp"
#include "capi/stemzoo.h"

using namespace stemzoo::capi;
using stemzoo::drift::Tracker;

struct stemzoo_tracker {
    std::mutex mutex;
    Tracker core;

    explicit stemzoo_tracker(Tracker tracker) : core(std::move(tracker)) {}
};

namespace {

std::optional<double> time_from(double time) {
    return std::isnan(time) ? std::nullopt : std::optional<double>(time);
}

// Pixels that are masked do not count; NaN differs from all.
bool constant(const Image& image) {
    return std::visit(
        [&](const auto& view) {
            bool found = false;
            double first = 0;
            for (std::size_t row = 0; row < view.shape.rows; ++row) {
                for (std::size_t col = 0; col < view.shape.cols; ++col) {
                    if (image.masked && image.masked->at(row, col) != 0) continue;
                    const auto pixel = static_cast<double>(view.at(row, col));
                    if (found && pixel != first) return false;
                    first = pixel;
                    found = true;
                }
            }
            return found;
        },
        image.pixels);
}

Tracker tracker_from(const Image& reference, const stemzoo_drift_options* options) {
    const auto estimator = estimator_from(reference.shape(), options);
    const auto renewal = renewal_from(options);
    auto frame = estimator->prepare(reference.pixels, reference.mask(), "reference");
    if (constant(reference)) {
        throw std::invalid_argument(
            "all pixels of reference are equal, so no frame has a drift from it; give a frame that "
            "shows the specimen");
    }
    const stemzoo::Shape reach = estimator->reach();
    return {estimator, std::move(frame), std::min(reach.rows, reach.cols), renewal};
}

}  // namespace

extern "C" {

int stemzoo_tracker_create(const stemzoo_image* reference, const stemzoo_drift_options* options,
                           stemzoo_tracker** tracker) {
    return guarded([&] {
        const Image image = image_from(reference, "reference");
        require(tracker, "tracker");
        *tracker = new stemzoo_tracker(tracker_from(image, options));
    });
}

int stemzoo_tracker_push(stemzoo_tracker* tracker, const stemzoo_image* frame, double time,
                         stemzoo_drift* drift) {
    return guarded([&] {
        require(tracker, "tracker");
        const Image image = image_from(frame, "frame");
        require(drift, "drift");
        const std::lock_guard<std::mutex> lock(tracker->mutex);
        Tracker next = tracker->core;  // its frames are shared; a failure leaves the old one
        const auto found = next.push(image.pixels, image.mask(), time_from(time));
        tracker->core = std::move(next);
        *drift = drift_from(found.drift, found.resolved);
    });
}

int stemzoo_tracker_predict(stemzoo_tracker* tracker, double time, double* dy, double* dx,
                            double* sigma_y, double* sigma_x) {
    return guarded([&] {
        require(tracker, "tracker");
        require(dy, "dy");
        require(dx, "dx");
        require(sigma_y, "sigma_y");
        require(sigma_x, "sigma_x");
        const std::lock_guard<std::mutex> lock(tracker->mutex);
        const auto found = tracker->core.predict(time_from(time));
        *dy = found.shift[0];
        *dx = found.shift[1];
        *sigma_y = found.sigma[0];
        *sigma_x = found.sigma[1];
    });
}

int stemzoo_tracker_close(stemzoo_tracker* tracker) {
    return guarded([&] { delete tracker; });
}
}
