// What the threads of a GPU do for a lag that the transforms do not resolve: the definition, from
// the pixels, in float64. The twin of direct.cpp.
#pragma once

#include "cuda/frames.hpp"
#include "ncc/plain_kernels.hpp"

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

// Block x does the lags x, x + blocks, ... of the list. Each takes two rounds of steps: the means,
// then the deviations from them.
struct DirectLag {
    static constexpr unsigned threads = 256, halvings = 8;
    static constexpr unsigned round = 1 + halvings, steps_a_lag = 2 * round;
    struct Shared {
        PairSums part[threads];
        double mean_a, mean_b;
    };

    Geometry geometry;
    Frames reference, frames;
    const Scaling* reference_scaling;
    const Scaling* scalings;
    Unresolved unresolved;
    float* surfaces;

    STEMZOO_ANYWHERE bool operator()(unsigned step, Index block, Index blocks, unsigned thread,
                                     Shared& shared) const {
        const std::size_t k = block.x + std::size_t{step / steps_a_lag} * blocks.x;
        if (k >= *unresolved.count) return false;
        const std::size_t place = unresolved.places[k];
        const Pair pair = pair_at(place);
        const unsigned within = step % steps_a_lag;
        const bool second = within >= round;
        const unsigned stage = within % round;
        if (stage == 0) {
            if (!second) {
                shared.part[thread] = sums(pair, thread);
            } else {
                // Everyone takes the means from the first part before anybody overwrites it: that
                // was the step before.
                shared.part[thread] = deviations(pair, thread, shared.mean_a, shared.mean_b);
            }
            return true;
        }
        const unsigned half = threads >> stage;
        if (thread < half) shared.part[thread].join(shared.part[thread + half]);
        if (stage == halvings && thread == 0) {
            if (second) {
                surfaces[place] = correlation(pair, shared);
            } else {
                shared.mean_a = shared.part[0].a / pair.n;
                shared.mean_b = shared.part[0].b / pair.n;
            }
        }
        return true;
    }

  private:
    struct Pair {
        std::size_t frame, row_a, col_a, row_b, col_b, rows, cols;
        double n;
    };

    STEMZOO_ANYWHERE Pair pair_at(std::size_t place) const {
        const std::size_t lag_cols = 2 * geometry.max_dx + 1;
        const std::size_t lags = lag_cols * (2 * geometry.max_dy + 1);
        const std::size_t frame = place / lags, i = place % lags;
        const std::size_t y = i / lag_cols, x = i % lag_cols;
        const std::size_t up = cut_at_start(y, geometry.max_dy);
        const std::size_t down = cut_at_end(y, geometry.max_dy);
        const std::size_t left = cut_at_start(x, geometry.max_dx);
        const std::size_t right = cut_at_end(x, geometry.max_dx);
        const std::size_t rows = geometry.image.rows - up - down;
        const std::size_t cols = geometry.image.cols - left - right;
        return {frame, up, left, down, right, rows, cols, static_cast<double>(rows * cols)};
    }

    STEMZOO_ANYWHERE static double scaled(double pixel, const Scaling& scaling) {
        return (pixel - scaling.offset) * scaling.scale;
    }
    STEMZOO_ANYWHERE double a(const Pair& pair, std::size_t r, std::size_t c) const {
        return scaled(reference.at(0, pair.row_a + r, pair.col_a + c), *reference_scaling);
    }
    STEMZOO_ANYWHERE double b(const Pair& pair, std::size_t r, std::size_t c) const {
        return scaled(frames.at(pair.frame, pair.row_b + r, pair.col_b + c), scalings[pair.frame]);
    }

    STEMZOO_ANYWHERE PairSums sums(const Pair& pair, unsigned thread) const {
        PairSums sum;
        for (std::size_t r = 0; r < pair.rows; ++r) {
            for (std::size_t c = thread; c < pair.cols; c += threads) {
                sum.a += a(pair, r, c);
                sum.b += b(pair, r, c);
            }
        }
        return sum;
    }

    STEMZOO_ANYWHERE PairSums deviations(const Pair& pair, unsigned thread, double mean_a,
                                         double mean_b) const {
        PairSums sum;
        for (std::size_t r = 0; r < pair.rows; ++r) {
            for (std::size_t c = thread; c < pair.cols; c += threads) {
                const double x = a(pair, r, c) - mean_a, y = b(pair, r, c) - mean_b;
                sum.aa += x * x;
                sum.bb += y * y;
                sum.ab += x * y;
            }
        }
        return sum;
    }

    STEMZOO_ANYWHERE float correlation(const Pair& pair, const Shared& shared) const {
        const PairSums& sum = shared.part[0];
        const Scaling &a = *reference_scaling, &b = scalings[pair.frame];
        if (pair.n < 2 || ncc::is_rounding(sum.aa, pair.n, shared.mean_a, a.offset * a.scale) ||
            ncc::is_rounding(sum.bb, pair.n, shared.mean_b, b.offset * b.scale)) {
            return 0;
        }
        // Two roots, since the product of two small sums may underflow.
        const double r = sum.ab / (std::sqrt(sum.aa) * std::sqrt(sum.bb));
        return static_cast<float>(r < -1.0 ? -1.0 : r > 1.0 ? 1.0 : r);
    }
};

}  // namespace stemzoo::cuda
