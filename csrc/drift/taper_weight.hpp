// The weight of a pixel of the moving frame along one axis, where that frame overlaps the reference
// shifted by a drift.
#pragma once

#include <cmath>
#include <cstddef>

#include "core/portable.hpp"

namespace stemzoo::drift {

// Pixels near a row's ends have no neighbours to take a gradient from.
constexpr std::size_t margin = 2;

// It rises over some pixels from the edge of the overlap, so that what wraps around in the shifted
// frame, or leaves at the edge, does not matter.
STEMZOO_ANYWHERE inline float taper_weight(double shift, std::size_t n, std::size_t i) {
    constexpr double rise = 10, pi = 3.14159265358979323846;
    const double first = (shift > 0 ? shift : 0.0) + static_cast<double>(margin - 1);
    const double last = static_cast<double>(n - margin) + (shift < 0 ? shift : 0.0);
    const double x = static_cast<double>(i);
    const double from_edge = x - first < last - x ? x - first : last - x;
    if (from_edge >= rise) return 1.0f;
    return from_edge > 0 ? static_cast<float>(0.5 - 0.5 * std::cos(pi * (from_edge / rise))) : 0.0f;
}

}  // namespace stemzoo::drift
