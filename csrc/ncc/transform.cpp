#include "ncc/transform.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/parallel.hpp"

namespace stemzoo::ncc {
namespace {

template <typename T, typename Body>
void each_block(const Spectral<T>& spectral, std::size_t blocks, unsigned threads, Body body) {
    parallel_for(blocks, threads, 1, [&](std::size_t begin, std::size_t end) {
        const Scratch<T> work(spectral.work_size);
        for (std::size_t block = begin; block < end; ++block) body(block, work.data());
    });
}

}  // namespace

unsigned transform_threads(Shape image, unsigned threads) {
    constexpr std::size_t pixels_each = std::size_t{1} << 18;
    return worthwhile_threads(image.size(), pixels_each, threads);
}

Scaling measure_scaling(const Spectral<float>& spectral, const AnyView& image, const char* what,
                        unsigned threads) {
    constexpr std::size_t rows_a_block = 64;
    const Shape shape = shape_of(image);
    std::vector<Moments> parts((shape.rows + rows_a_block - 1) / rows_a_block);
    parallel_for(parts.size(), threads, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            parts[i] = spectral.moments(image, i * rows_a_block,
                                        std::min((i + 1) * rows_a_block, shape.rows));
        }
    });
    Moments total;
    for (const Moments& part : parts) {
        total.sum += part.sum;
        total.square_sum += part.square_sum;
    }
    if (!std::isfinite(total.sum) || !std::isfinite(total.square_sum)) {
        throw std::invalid_argument(std::string(what) +
                                    " has pixels that are NaN, infinite or beyond 1e150; replace "
                                    "them or mark them invalid with a mask");
    }
    return scaling_of(total, static_cast<double>(shape.size()));
}

template <typename T>
Half<T> half_transform(const Spectral<T>& spectral, const AnyView& image, Scaling scaling,
                       unsigned threads) {
    const std::size_t cols = shape_of(image).cols;
    Half<T> half{Scratch<T>(spectral.half_size),
                 {std::vector<double>(cols), std::vector<double>(cols)}};
    each_block(spectral, spectral.column_blocks, threads, [&](std::size_t block, T* work) {
        spectral.columns(image, scaling, block, half.buffer.data(), half.sums.sum.data(),
                         half.sums.square_sum.data(), work);
    });
    return half;
}

template <typename T>
Scratch<T> spectrum_of(const Spectral<T>& spectral, const Half<T>& half, unsigned threads) {
    Scratch<T> spectrum(spectral.spectrum_size);
    each_block(spectral, spectral.row_blocks, threads, [&](std::size_t block, T* work) {
        spectral.rows(half.buffer.data(), block, spectrum.data(), work);
    });
    return spectrum;
}

template <typename T>
Scratch<T> raw_correlation(const Spectral<T>& spectral, const Scratch<T>& reference_spectrum,
                           const Half<T>& moving, Shape surface, unsigned threads) {
    const Scratch<T> band(spectral.band_size);
    each_block(spectral, spectral.row_blocks, threads, [&](std::size_t block, T* work) {
        spectral.correlate(moving.buffer.data(), reference_spectrum.data(), block, band.data(),
                           work);
    });
    Scratch<T> raw(surface.size());
    each_block(spectral, spectral.lag_blocks, threads, [&](std::size_t block, T* work) {
        spectral.lags(band.data(), block, raw.data(), work);
    });
    return raw;
}

#define STEMZOO_INSTANTIATE(T)                                                                 \
    template Half<T> half_transform(const Spectral<T>&, const AnyView&, Scaling, unsigned);    \
    template Scratch<T> spectrum_of(const Spectral<T>&, const Half<T>&, unsigned);             \
    template Scratch<T> raw_correlation(const Spectral<T>&, const Scratch<T>&, const Half<T>&, \
                                        Shape, unsigned);
STEMZOO_INSTANTIATE(float)
STEMZOO_INSTANTIATE(double)

}  // namespace stemzoo::ncc
