// How pixels enter the arithmetic of a correlation: where a Scaling comes from.
#pragma once

#include <cmath>

#include "core/portable.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::ncc {

// Offset at the mean, scale a power of two that brings the standard deviation near 1.
STEMZOO_ANYWHERE inline Scaling scaling_from(double mean, double variance) {
    // Rounding leaves 1e-16 of the mean's square: less variance than that is not known.
    const double least = 1e-16 * mean * mean;
    const double deviation = std::sqrt(variance < least ? least : variance);
    if (!(deviation > 1e-150)) return {mean, 1.0};
    return {mean, std::scalbn(1.0, -std::ilogb(deviation))};
}

STEMZOO_ANYWHERE inline Scaling scaling_of(const Moments& total, double pixels) {
    const double mean = total.sum / pixels;
    return scaling_from(mean, total.square_sum / pixels - mean * mean);
}

}  // namespace stemzoo::ncc
