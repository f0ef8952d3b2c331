// What the threads of a GPU do for correlation over pairs of valid pixels; the twin of masked.cpp.
// A chunk of frames is in memory as [f][row][x], in float64.
#pragma once

#include "ncc/direct_lags.hpp"
#include "ncc/masked_lag.hpp"

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

struct MaskedLag {
    using Sum = ValidSums;

    Shape image;
    const double *reference, *reference_valid, *frames, *valid;
    double reference_offset;
    const double* offsets;  // of the frames' scalings, in scaled units

    // Where the sums of the pixels are known, of products: ab, aa and bb in this order.
    STEMZOO_ANYWHERE ValidSums part(const OverlapAt& at, unsigned thread, unsigned threads,
                                    const ValidSums* known) const {
        const double mean_a = known != nullptr ? known->a / known->n : 0,
                     mean_b = known != nullptr ? known->b / known->n : 0;
        ValidSums sum;
        for (std::size_t r = 0; r < at.rows; ++r) {
            const std::size_t ra = (at.row_a + r) * image.cols + at.col_a;
            const std::size_t rb = (at.frame * image.rows + at.row_b + r) * image.cols + at.col_b;
            for (std::size_t c = thread; c < at.cols; c += threads) {
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

    STEMZOO_ANYWHERE float correlation(const OverlapAt& at, const ValidSums& known,
                                       const ValidSums& products) const {
        const double ab = products.n, aa = products.a, bb = products.b, n = known.n;
        if (n < 2 || ncc::is_rounding(aa, n, known.a / n, reference_offset) ||
            ncc::is_rounding(bb, n, known.b / n, offsets[at.frame])) {
            return 0;
        }
        return correlation_of(ab, aa, bb);
    }
};

}  // namespace stemzoo::cuda
