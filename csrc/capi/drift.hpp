// What the pair estimator and the tracker share at the edge.
#pragma once

#include <memory>
#include <optional>

#include "capi/stemzoo.h"
#include "drift/estimator.hpp"

namespace stemzoo::capi {

// Checked options. Both throw std::invalid_argument, and model_file::ModelError for a model that
// this stemzoo cannot feed.
std::shared_ptr<const drift::Estimator> estimator_from(Shape shape,
                                                       const stemzoo_drift_options* options);
std::optional<double> renewal_from(const stemzoo_drift_options* options);

stemzoo_drift drift_from(const drift::Drift& found, bool resolved);

}  // namespace stemzoo::capi
