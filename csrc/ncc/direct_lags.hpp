// Lags that the transforms do not resolve, each by a block of threads from the pixels: the sums of
// an overlap first, then those of products of deviations from their means.
#pragma once

#include "ncc/plain_kernels.hpp"

namespace stemzoo::cuda {

// What a lag compares: pixel (row_a + r, col_a + c) of the reference and (row_b + r, col_b + c) of
// the frame.
struct OverlapAt {
    std::size_t frame, row_a, col_a, row_b, col_b, rows, cols;

    STEMZOO_ANYWHERE OverlapAt(const Geometry& geometry, std::size_t place) {
        const std::size_t lag_cols = 2 * geometry.max_dx + 1;
        const std::size_t lags = lag_cols * (2 * geometry.max_dy + 1), lag = place % lags;
        const std::size_t y = lag / lag_cols, x = lag % lag_cols;
        frame = place / lags;
        row_a = cut_at_start(y, geometry.max_dy);
        row_b = cut_at_end(y, geometry.max_dy);
        col_a = cut_at_start(x, geometry.max_dx);
        col_b = cut_at_end(x, geometry.max_dx);
        rows = geometry.image.rows - row_a - row_b;
        cols = geometry.image.cols - col_a - col_b;
    }
};

// Two roots, since the product of two small sums may underflow.
STEMZOO_ANYWHERE inline float correlation_of(double ab, double aa, double bb) {
    const double r = ab / (std::sqrt(aa) * std::sqrt(bb));
    return static_cast<float>(r < -1.0 ? -1.0 : r > 1.0 ? 1.0 : r);
}

// Block x does the lags x, x + blocks, ... of the list, each in two rounds of steps.
//
// `Lag` has a type Sum with join(Sum), `threads`; Sum part(at, thread, threads, known), of the
// products where the sums of the pixels are known, else of the pixels; and float correlation(at,
// known, products).
template <typename Lag>
struct DirectLags {
    using Sum = typename Lag::Sum;
    static constexpr unsigned threads = 256, halvings = 8;
    static constexpr unsigned round = 1 + halvings, steps_a_lag = 2 * round;
    struct Shared {
        Sum part[threads];
        Sum known;
    };

    Geometry geometry;
    Lag lag;
    Unresolved unresolved;
    float* surfaces;

    STEMZOO_ANYWHERE bool operator()(unsigned step, Index block, Index blocks, unsigned thread,
                                     Shared& shared) const {
        const std::size_t k = block.x + std::size_t{step / steps_a_lag} * blocks.x;
        if (k >= *unresolved.count) return false;
        const std::size_t place = unresolved.places[k];
        const unsigned within = step % steps_a_lag, stage = within % round;
        const bool second = within >= round;
        if (stage == 0) {
            shared.part[thread] = lag.part(OverlapAt(geometry, place), thread, threads,
                                           second ? &shared.known : nullptr);
            return true;
        }
        const unsigned half = threads >> stage;
        if (thread < half) shared.part[thread].join(shared.part[thread + half]);
        if (stage == halvings && thread == 0) {
            if (second) {
                surfaces[place] =
                    lag.correlation(OverlapAt(geometry, place), shared.known, shared.part[0]);
            } else {
                shared.known = shared.part[0];
            }
        }
        return true;
    }
};

}  // namespace stemzoo::cuda
