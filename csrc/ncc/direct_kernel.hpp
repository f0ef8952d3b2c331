// What the threads of a GPU do for a lag that the transforms do not resolve: the definition, from
// the pixels, in float64. The twin of direct.cpp.
#pragma once

#include "cuda/frames.hpp"
#include "ncc/direct_lags.hpp"

namespace stemzoo::cuda {

using ncc::Scaling;

// Sums over an overlap; first of the pixels, then of products of deviations from their means.
struct PairSums {
    double a = 0, b = 0;
    double aa = 0, bb = 0, ab = 0;

    STEMZOO_ANYWHERE void join(const PairSums& other) {
        a += other.a;
        b += other.b;
        aa += other.aa;
        bb += other.bb;
        ab += other.ab;
    }
};

struct PlainLag {
    using Sum = PairSums;

    Frames reference, frames;
    const Scaling* reference_scaling;
    const Scaling* scalings;

    STEMZOO_ANYWHERE PairSums part(const OverlapAt& at, unsigned thread, unsigned threads,
                                   const PairSums* known) const {
        const double n = count(at), mean_a = known != nullptr ? known->a / n : 0,
                     mean_b = known != nullptr ? known->b / n : 0;
        PairSums sum;
        for (std::size_t r = 0; r < at.rows; ++r) {
            for (std::size_t c = thread; c < at.cols; c += threads) {
                const double x = a(at, r, c) - mean_a, y = b(at, r, c) - mean_b;
                if (known == nullptr) {
                    sum.a += x;
                    sum.b += y;
                } else {
                    sum.aa += x * x;
                    sum.bb += y * y;
                    sum.ab += x * y;
                }
            }
        }
        return sum;
    }

    STEMZOO_ANYWHERE float correlation(const OverlapAt& at, const PairSums& known,
                                       const PairSums& products) const {
        const double n = count(at);
        const Scaling &a = *reference_scaling, &b = scalings[at.frame];
        if (n < 2 || ncc::is_rounding(products.aa, n, known.a / n, a.offset * a.scale) ||
            ncc::is_rounding(products.bb, n, known.b / n, b.offset * b.scale)) {
            return 0;
        }
        return correlation_of(products.ab, products.aa, products.bb);
    }

  private:
    STEMZOO_ANYWHERE static double count(const OverlapAt& at) {
        return static_cast<double>(at.rows * at.cols);
    }
    STEMZOO_ANYWHERE static double scaled(double pixel, const Scaling& scaling) {
        return (pixel - scaling.offset) * scaling.scale;
    }
    STEMZOO_ANYWHERE double a(const OverlapAt& at, std::size_t r, std::size_t c) const {
        return scaled(reference.at(0, at.row_a + r, at.col_a + c), *reference_scaling);
    }
    STEMZOO_ANYWHERE double b(const OverlapAt& at, std::size_t r, std::size_t c) const {
        return scaled(frames.at(at.frame, at.row_b + r, at.col_b + c), scalings[at.frame]);
    }
};

}  // namespace stemzoo::cuda
