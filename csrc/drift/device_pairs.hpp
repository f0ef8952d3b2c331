// Frames and their reference on a GPU, as the estimator of drifts measures them.
#pragma once

#include <memory>

#include "cuda/module.hpp"

namespace stemzoo::cuda {

std::unique_ptr<DriftPairs> make_drift_pairs(int device, const DriftSettings& settings);

}  // namespace stemzoo::cuda
