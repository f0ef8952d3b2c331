#include "ncc/plain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel.hpp"
#include "ncc/direct.hpp"
#include "ncc/transform.hpp"

namespace stemzoo::ncc {
namespace {

constexpr float unresolved = std::numeric_limits<float>::quiet_NaN();

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

    Resolution(double energy_a, double energy_b)
        : least_a(1e-8 * energy_a), least_b(1e-8 * energy_b) {
        constexpr double unit = std::numeric_limits<T>::epsilon() / 2;
        constexpr double ratio = 16 * unit / 3e-5;
        least_product = ratio * ratio * energy_a * energy_b;
    }
};

// Turns raw sums of products into correlations, or `unresolved`.
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
                const double va = a.variance[i], vb = b.variance[j], product = va * vb;
                const double r =
                    (static_cast<double>(raw[i]) - a.sum[i] * b.sum[j] / n) / std::sqrt(product);
                const bool known = (va > resolution.least_a) & (vb > resolution.least_b) &
                                   (product > resolution.least_product);
                const float value =
                    known ? static_cast<float>(std::min(1.0, std::max(-1.0, r))) : unresolved;
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
