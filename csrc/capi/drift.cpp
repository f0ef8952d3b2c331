#include "capi/drift.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "capi/image.hpp"
#include "capi/model.hpp"
#include "capi/status.hpp"

namespace stemzoo::capi {
namespace {

constexpr double usual_renewal = 0.5;  // as in python/stemzoo/registration/tracker.py

Shape reach_from(Shape shape, std::size_t max_shift) {
    if (max_shift == 0) return drift::Estimator::usual_reach(shape);
    const std::size_t most = std::min(shape.rows, shape.cols) - 1;
    if (max_shift <= most) return {max_shift, max_shift};
    throw std::invalid_argument(
        "max_shift is " + std::to_string(max_shift) + "; expected at most " + std::to_string(most) +
        " pixels, less than the frame's size " + shape.text() + ", or 0 for a third of it");
}

drift::Network network_from(const stemzoo_model* model) {
    if (model == nullptr) return {};
    model->network->require_features();
    return [network = model->network](const float* look, Shape shape) {
        return network->features(look, shape);
    };
}

}  // namespace

std::shared_ptr<const drift::Estimator> estimator_from(Shape shape,
                                                       const stemzoo_drift_options* options) {
    const stemzoo_drift_options given = options == nullptr ? stemzoo_drift_options{} : *options;
    const unsigned threads = threads_from(given.threads);
    return std::make_shared<const drift::Estimator>(shape, reach_from(shape, given.max_shift),
                                                    network_from(given.model), threads);
}

std::optional<double> renewal_from(const stemzoo_drift_options* options) {
    const double renew = options == nullptr ? 0 : options->renew;
    if (renew == 0) return usual_renewal;
    if (renew < 0) return std::nullopt;
    if (renew <= 1) return renew;
    throw std::invalid_argument("renew is " + std::to_string(renew) +
                                "; expected a share of max_shift, above 0 and at most 1, 0 for a "
                                "half, or a negative number to keep the first reference");
}

stemzoo_drift drift_from(const drift::Drift& found, bool resolved) {
    stemzoo_drift drift{};
    drift.dy = found.shift[0];
    drift.dx = found.shift[1];
    drift.sigma_y = found.sigma[0];
    drift.sigma_x = found.sigma[1];
    drift.score = found.score;
    drift.probability = found.probability();
    drift.ambiguous = found.ambiguous() ? 1 : 0;
    drift.resolved = resolved ? 1 : 0;
    drift.reason = drift::text(found.reason);
    drift.candidate_count = std::min<std::size_t>(found.candidates.size(), STEMZOO_MAX_CANDIDATES);
    for (std::size_t i = 0; i < drift.candidate_count; ++i) {
        const drift::Candidate& each = found.candidates[i];
        drift.candidates[i] = {each.shift[0], each.shift[1], each.probability};
    }
    return drift;
}

}  // namespace stemzoo::capi
