// One value of a surface from its sum of products, where the transforms resolve it.
#pragma once

#include <cmath>
#include <limits>

#include "core/portable.hpp"

namespace stemzoo::ncc {

// When a lag's value can be trusted to 3e-5, a third of the promised 1e-4.
//
// A transform's error is spread evenly over all lags and stays below 16 units of T's last place
// times |A| |B|, the square root of the product of both energies. (The root mean square is near
// log2(n) / 4 units times the root mean square of the raw surface, which |A| |B| bounds; periodic
// images come closest to that bound. tests/cpp/test_ncc.cpp holds images chosen to break this.)
// The overlap's variances are float64 differences, good to 1e-13 of the energy.
template <typename T>
struct Resolution {
    double least_product, least_a, least_b;

    STEMZOO_ANYWHERE Resolution(double energy_a, double energy_b)
        : least_a(1e-8 * energy_a), least_b(1e-8 * energy_b) {
        constexpr double unit = std::numeric_limits<T>::epsilon() / 2;
        constexpr double ratio = 16 * unit / 3e-5;
        least_product = ratio * ratio * energy_a * energy_b;
    }
};

// Of the scaled pixels of one side over an overlap.
struct OverlapSum {
    double sum;
    double variance;  // times the number of pixels
};

// Pearson's correlation over n pixels, or NaN where it is not resolved.
template <typename T>
STEMZOO_ANYWHERE inline float normalised(double raw, OverlapSum a, OverlapSum b, double n,
                                         const Resolution<T>& resolution) {
    const double product = a.variance * b.variance;
    const double r = (raw - a.sum * b.sum / n) / std::sqrt(product);
    const bool known = (a.variance > resolution.least_a) & (b.variance > resolution.least_b) &
                       (product > resolution.least_product);
    const double limited = r < -1.0 ? -1.0 : r > 1.0 ? 1.0 : r;
    return known ? static_cast<float>(limited) : std::numeric_limits<float>::quiet_NaN();
}

// Is this sum of squared deviations no more than rounding of the pixels can leave? `offset` is that
// of the scaling in scaled units, `mean` that of the scaled pixels.
STEMZOO_ANYWHERE inline bool is_rounding(double variance, double n, double mean, double offset) {
    const double largest = std::abs(offset) + std::abs(mean);
    const double rounding = 16 * std::numeric_limits<double>::epsilon() * largest;
    return variance <= n * rounding * rounding;
}

}  // namespace stemzoo::ncc
