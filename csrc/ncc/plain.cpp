#include "ncc/plain.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.hpp"
#include "ncc/direct.hpp"
#include "ncc/normalised.hpp"
#include "ncc/transform.hpp"

namespace stemzoo::ncc {
namespace {

// Turns raw sums of products into correlations, or NaN where they do not resolve one.
template <typename T>
void normalise(const Geometry& g, const T* raw, const OverlapSums& a, const OverlapSums& b,
               double min_pixels, float* surface, unsigned threads) {
    const Shape shape = g.surface();
    const Resolution<T> resolution(a.energy, b.energy);
    constexpr std::size_t lags_worth_a_thread = 8192;
    const std::size_t grain = 1 + lags_worth_a_thread / shape.cols;
    parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            const std::size_t first = row * shape.cols, mirrored = shape.size() - 1 - first;
            const auto rows = static_cast<double>(g.overlap(row, 0).rows());
            const auto width = static_cast<double>(g.image.cols);
            for (std::size_t col = 0; col < shape.cols; ++col) {
                const std::size_t i = first + col, j = mirrored - col;
                const double n =
                    rows *
                    (width - std::abs(static_cast<double>(col) - static_cast<double>(g.max_dx)));
                const float value =
                    normalised(static_cast<double>(raw[i]), {a.sum[i], a.variance[i]},
                               {b.sum[j], b.variance[j]}, n, resolution);
                surface[i] = n < min_pixels ? 0.0f : value;
            }
        }
    });
}

}  // namespace

template <typename T>
Plain<T>::Plain(const Geometry& geometry, const AnyView& reference, Scaling scaling,
                unsigned threads)
    : geometry_(geometry), scaling_(scaling), spectral_(spectral_for<T>(geometry)) {
    const Half<T> half = half_transform(*spectral_, reference, scaling, threads);
    spectrum_ = spectrum_of(*spectral_, half, threads);
    sums_ = overlap_sums(reference, scaling, half.sums, geometry);
}

template <typename T>
bool Plain<T>::correlate(const AnyView& reference, const AnyView& moving, Scaling moving_scaling,
                         double min_pixels, float* surface, unsigned threads) const {
    const Geometry& g = geometry_;
    const Shape shape = g.surface();
    const unsigned some = transform_threads(g.image, threads);
    const Half<T> half = half_transform(*spectral_, moving, moving_scaling, some);
    const OverlapSums sums = overlap_sums(moving, moving_scaling, half.sums, g);
    const Scratch<T> raw = raw_correlation(*spectral_, spectrum_, half, shape, some);
    normalise(g, raw.data(), sums_, sums, min_pixels, surface, some);

    std::vector<std::size_t> lags;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (std::isnan(surface[i])) lags.push_back(i);
    }
    if (lags.empty()) return true;

    const DirectImage a = direct_image(reference, scaling_);
    const DirectImage b = direct_image(moving, moving_scaling);
    const ConstantCorners constant_a(a), constant_b(b);
    const auto is_constant = [&](std::size_t i) {
        const std::size_t row = i / shape.cols, col = i % shape.cols;
        return constant_a.constant(g.overlap(row, col)) ||
               constant_b.constant(g.moving_overlap(row, col));
    };
    double pixels = 0;
    for (std::size_t& i : lags) {
        if (is_constant(i)) {
            surface[i] = 0;
        } else {
            pixels += static_cast<double>(g.overlap(i / shape.cols, i % shape.cols).size());
        }
    }
    // About what the double transforms take, counted in pixels of direct evaluation.
    const double affordable = 30.0 * static_cast<double>(g.fft_rows * g.fft_cols);
    if (sizeof(T) < sizeof(double) && pixels > affordable) return false;
    parallel_for(lags.size(), threads, 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t k = begin; k < end; ++k) {
            const std::size_t i = lags[k], row = i / shape.cols, col = i % shape.cols;
            if (!std::isnan(surface[i])) continue;
            surface[i] = static_cast<float>(
                direct_correlation(a, g.overlap(row, col), b, g.moving_overlap(row, col)));
        }
    });
    return true;
}

template class Plain<float>;
template class Plain<double>;

}  // namespace stemzoo::ncc
