// What every function of a pair asks of it.
#pragma once

#include <cmath>
#include <stdexcept>
#include <string>

#include "core/number_text.hpp"
#include "drift/frame.hpp"

namespace stemzoo::drift {

inline void require_one_shape(const Frame& reference, const Frame& moving) {
    if (reference.shape() == moving.shape()) return;
    throw std::invalid_argument("reference is " + reference.shape().text() + " pixels and moving " +
                                moving.shape().text() + "; expected frames of one shape");
}

inline void require_finite(double dy, double dx) {
    if (std::isfinite(dy) && std::isfinite(dx)) return;
    throw std::invalid_argument("drift is (" + number_text(dy) + ", " + number_text(dx) +
                                "); expected two finite numbers of pixels");
}

}  // namespace stemzoo::drift
