// Reading pixels of any type and stride as vectors of float64. Compiled once for each instruction
// set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "core/array.hpp"
#include "core/fft.hpp"
#include "core/lanes.hpp"
#include "core/vector.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::STEMZOO_ISA {

constexpr std::size_t wide = lanes<double>;  // pixels widened at a time
using Wide = Vector<double, wide>;

template <typename P>
inline Wide widen(const P* pixels) {
    return convert<Wide>(load<P, wide>(pixels));
}

// Points to `count` (at most N) neighbouring pixels of a row. Rows that are strided, or end within
// the N, are copied to `spare` first, with `filler` behind their end: the same code then computes
// the same bits for every layout.
template <std::size_t N, typename P>
inline const P* neighbours(const P* row, std::ptrdiff_t stride, std::size_t count, P filler,
                           P* spare) {
    if (stride == 1 && count == N) return row;
    for (std::size_t i = 0; i < count; ++i) spare[i] = row[static_cast<std::ptrdiff_t>(i) * stride];
    std::fill(spare + count, spare + N, filler);
    return spare;
}

template <typename P>
ncc::Moments moments_of(const View<const P>& image, std::size_t row0, std::size_t row1) {
    constexpr std::size_t chains = 4;  // enough independent sums to hide an addition's latency
    constexpr std::size_t step = chains * wide;
    using Pixel = std::remove_const_t<P>;
    Wide sum[chains] = {}, square_sum[chains] = {};
    Pixel spare[step];
    for (std::size_t r = row0; r < row1; ++r) {
        for (std::size_t c = 0; c < image.shape.cols; c += step) {
            const std::size_t count = std::min(step, image.shape.cols - c);
            const Pixel* from =
                neighbours<step, Pixel>(&image.at(r, c), image.col_stride, count, Pixel(0), spare);
            for (std::size_t k = 0; k < chains; ++k) {
                const Wide x = widen(from + k * wide);
                sum[k] += x;
                square_sum[k] += x * x;
            }
        }
    }
    ncc::Moments total;
    for (std::size_t k = 0; k < chains; ++k) {
        for (std::size_t i = 0; i < wide; ++i) {
            total.sum += sum[k][i];
            total.square_sum += square_sum[k][i];
        }
    }
    return total;
}

// Loads the vector-wide block of columns from `col0` on as rows of scaled T, zero beyond the
// image's edge, and sums each column.
template <typename T, typename P>
void load_columns(const View<const P>& image, ncc::Scaling scaling, std::size_t col0, T* out,
                  double* sums, double* square_sums) {
    constexpr std::size_t width = lanes<T>, parts = width / wide;
    using Narrow = Vector<T, wide>;
    using Pixel = std::remove_const_t<P>;
    const std::size_t count = std::min(width, image.shape.cols - col0);
    Wide sum[parts] = {}, square_sum[parts] = {};
    Pixel spare[width];
    const Wide offset = Wide{} + scaling.offset, scale = Wide{} + scaling.scale;
    // Walking down columns is what hardware prefetchers do not foresee.
    constexpr std::size_t rows_ahead = 24;
    for (std::size_t r = 0; r < image.shape.rows; ++r, out += width) {
        if (r + rows_ahead < image.shape.rows) {
            STEMZOO_PREFETCH(&image.at(r + rows_ahead, col0));
        }
        const Pixel* from =
            neighbours<width, Pixel>(&image.at(r, col0), image.col_stride, count, Pixel(0), spare);
        for (std::size_t k = 0; k < parts; ++k) {
            const Wide x = (widen(from + k * wide) - offset) * scale;
            sum[k] += x;
            square_sum[k] += x * x;
            store(convert<Narrow>(x), out + k * wide);
        }
        for (std::size_t i = count; i < width; ++i) out[i] = T(0);
    }
    for (std::size_t i = 0; i < count; ++i) {
        sums[col0 + i] = sum[i / wide][i % wide];
        square_sums[col0 + i] = square_sum[i / wide][i % wide];
    }
}

}  // namespace stemzoo::STEMZOO_ISA
