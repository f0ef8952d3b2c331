// One lag of a correlation over pairs of valid pixels, from the sums that transforms make.
#pragma once

#include <cmath>
#include <limits>

#include "core/portable.hpp"

namespace stemzoo::ncc {

// Of an image: the roots of the sums of squares of its scaled pixels, of their squares, and of its
// mask.
struct MaskedNorms {
    double pixels, squares, valid;
};

// Bounds on what the transforms can be wrong by, for each of the sums a lag is made of; see
// Resolution in normalised.hpp for the constant.
struct MaskedErrors {
    double sum_a, sum_b, square_a, square_b, product;

    STEMZOO_ANYWHERE MaskedErrors(const MaskedNorms& a, const MaskedNorms& b) {
        constexpr double bound = 8 * std::numeric_limits<double>::epsilon();
        sum_a = bound * a.pixels * b.valid;
        sum_b = bound * b.pixels * a.valid;
        square_a = bound * a.squares * b.valid;
        square_b = bound * b.squares * a.valid;
        product = bound * a.pixels * b.pixels;
    }
};

struct LagSums {
    double n, a, b, aa, bb, ab;

    // Pearson's correlation, or NaN if the transforms' errors leave it uncertain by more than 3e-5.
    STEMZOO_ANYWHERE double correlation(const MaskedErrors& e) const {
        const double mean_a = a / n, mean_b = b / n;
        const double va = aa - a * mean_a, vb = bb - b * mean_b;
        const double unsure = std::numeric_limits<double>::quiet_NaN();
        if (!(va > 0) || !(vb > 0)) return unsure;
        const double root = std::sqrt(va) * std::sqrt(vb);
        const double top_error =
            e.product + std::abs(mean_a) * e.sum_b + std::abs(mean_b) * e.sum_a;
        const double error = top_error / root +
                             (e.square_a + 2 * std::abs(mean_a) * e.sum_a) / (2 * va) +
                             (e.square_b + 2 * std::abs(mean_b) * e.sum_b) / (2 * vb);
        if (!(error < 3e-5)) return unsure;
        const double r = (ab - a * mean_b) / root;
        return r < -1.0 ? -1.0 : r > 1.0 ? 1.0 : r;
    }
};

}  // namespace stemzoo::ncc
