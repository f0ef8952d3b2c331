// What the threads of a GPU do for correlation over pairs of valid pixels; the twin of masked.cpp.
// A chunk of frames is in memory as [f][row][x], in float64.
#pragma once

#include "ncc/masked_lag.hpp"
#include "ncc/plain_kernels.hpp"

namespace stemzoo::cuda {

enum class MaskedPart { valid, pixels, squares };

// One place of a part, padded for the transforms: [row][f][x]. Frames beyond the last are zero.
struct PadMasked {
    Geometry geometry;
    std::size_t chunk, count;
    MaskedPart part;
    const double *pixels, *valid;
    double* padded;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = geometry.image.rows, cols = geometry.image.cols, f = at.y;
        double value = 0;
        if (f < count && at.x < cols) {
            const std::size_t from = (f * rows + at.z) * cols + at.x;
            value = part == MaskedPart::valid ? valid[from] : pixels[from];
            if (part == MaskedPart::squares) value *= value;
        }
        padded[(at.z * chunk + f) * geometry.fft_cols + at.x] = value;
    }
};

// The sums that transforms have made: [row of lags][f][x].
struct MaskedSums {
    const double *n, *a, *b, *aa, *bb, *ab;
};

struct NormaliseMasked {
    Geometry geometry;
    std::size_t chunk;
    MaskedSums sums;
    ncc::MaskedNorms reference;
    const ncc::MaskedNorms* frames;
    double min_pixels;
    float* surfaces;
    Unresolved unresolved;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t cols = 2 * geometry.max_dx + 1, lags = cols * (2 * geometry.max_dy + 1);
        const std::size_t place = at.z * lags + std::size_t{at.y} * cols + at.x;
        const std::size_t i = (at.y * chunk + at.z) * geometry.fft_cols + at.x;
        const ncc::LagSums lag{
            std::round(sums.n[i]), sums.a[i], sums.b[i], sums.aa[i], sums.bb[i], sums.ab[i]};
        const bool evidence = lag.n >= (min_pixels > 2.0 ? min_pixels : 2.0);
        const double r = evidence ? lag.correlation({reference, frames[at.z]}) : 0.0;
        surfaces[place] = static_cast<float>(r);
        if (std::isnan(r)) {
            unresolved.places[next_place(unresolved.count)] = static_cast<unsigned>(place);
        }
    }
};

// Sums over the valid pairs of an overlap; first of the pixels, then of products of deviations.
struct ValidSums {
    double n = 0, a = 0, b = 0;

    STEMZOO_ANYWHERE void join(const ValidSums& other) {
        n += other.n;
        a += other.a;
        b += other.b;
    }
};

// Block x does the lags x, x + blocks, ... of the list, each in two rounds of steps, as DirectLag
// (direct_kernel.hpp) does.
struct DirectMaskedLag {
    static constexpr unsigned threads = 256, halvings = 8;
    static constexpr unsigned round = 1 + halvings, steps_a_lag = 2 * round;
    struct Shared {
        ValidSums part[threads];
        ValidSums sums;
    };

    Geometry geometry;
    const double *reference, *reference_valid, *frames, *valid;
    double reference_offset;
    const double* offsets;  // of the frames' scalings, in scaled units
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
            shared.part[thread] = part(place, thread, second ? &shared.sums : nullptr);
            return true;
        }
        const unsigned half = threads >> stage;
        if (thread < half) shared.part[thread].join(shared.part[thread + half]);
        if (stage == halvings && thread == 0) {
            if (second) {
                surfaces[place] = correlation(place, shared);
            } else {
                shared.sums = shared.part[0];
            }
        }
        return true;
    }

  private:
    // Of pixels; or, where the sums of those are known, of products: ab, aa and bb in this order.
    STEMZOO_ANYWHERE ValidSums part(std::size_t place, unsigned thread,
                                    const ValidSums* known) const {
        const std::size_t lag_cols = 2 * geometry.max_dx + 1;
        const std::size_t lags = lag_cols * (2 * geometry.max_dy + 1);
        const std::size_t frame = place / lags, i = place % lags;
        const std::size_t up = cut_at_start(i / lag_cols, geometry.max_dy),
                          down = cut_at_end(i / lag_cols, geometry.max_dy),
                          left = cut_at_start(i % lag_cols, geometry.max_dx),
                          right = cut_at_end(i % lag_cols, geometry.max_dx);
        const std::size_t rows = geometry.image.rows - up - down,
                          cols = geometry.image.cols - left - right;
        const double mean_a = known != nullptr ? known->a / known->n : 0,
                     mean_b = known != nullptr ? known->b / known->n : 0;
        ValidSums sum;
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t ra = (up + r) * geometry.image.cols + left;
            const std::size_t rb =
                (frame * geometry.image.rows + down + r) * geometry.image.cols + right;
            for (std::size_t c = thread; c < cols; c += threads) {
                const double w = reference_valid[ra + c] * valid[rb + c];
                const double x = reference[ra + c] - mean_a, y = frames[rb + c] - mean_b;
                if (known != nullptr) {
                    sum.join({w * x * y, w * x * x, w * y * y});
                } else {
                    sum.join({w, w * x, w * y});
                }
            }
        }
        return sum;
    }

    STEMZOO_ANYWHERE float correlation(std::size_t place, const Shared& shared) const {
        const ValidSums &first = shared.sums, &products = shared.part[0];
        const double ab = products.n, aa = products.a, bb = products.b;
        const std::size_t lags = (2 * geometry.max_dx + 1) * (2 * geometry.max_dy + 1);
        if (first.n < 2 || ncc::is_rounding(aa, first.n, first.a / first.n, reference_offset) ||
            ncc::is_rounding(bb, first.n, first.b / first.n, offsets[place / lags])) {
            return 0;
        }
        // Two roots, since the product of two small sums may underflow.
        const double r = ab / (std::sqrt(aa) * std::sqrt(bb));
        return static_cast<float>(r < -1.0 ? -1.0 : r > 1.0 ? 1.0 : r);
    }
};

}  // namespace stemzoo::cuda
