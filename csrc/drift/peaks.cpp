#include "drift/peaks.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/scratch.hpp"
#include "drift/lags.hpp"

namespace stemzoo::drift {
namespace {

// Cycles per pixel of the Gaussian low-pass: columns at least some four pixels apart give peaks,
// and pixel noise gives few. What is slower than `slowest` is shading, which has no sharp peak.
constexpr double cutoff = 0.2, slowest = 0.02;

std::vector<float> square_frequencies(std::size_t n) {
    std::vector<float> squares(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double k = static_cast<double>(std::min(i, n - i)) / static_cast<double>(n);
        squares[i] = static_cast<float>(k * k);
    }
    return squares;
}

std::vector<float> low_pass(std::vector<float> squares) {
    for (float& k2 : squares) k2 = std::exp(-k2 / static_cast<float>(cutoff * cutoff));
    return squares;
}

void correlate(const Frame& a, const Frame& b, float* cyclic, unsigned threads) {
    const SpectrumLayout& layout = a.fft().layout();
    const std::vector<float> x2 = square_frequencies(layout.image.cols),
                             y2 = square_frequencies(layout.image.rows);
    const std::vector<float> along = low_pass(x2), down = low_pass(y2);
    constexpr auto slow2 = static_cast<float>(slowest * slowest);
    const Scratch<float> product(layout.size);
    std::fill_n(product.data(), layout.size, 0.0f);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        if (down[ky] < 1e-6f) continue;
        add_product(layout, a.tapered_spectrum(), b.tapered_spectrum(), ky, down[ky],
                    product.data());
        float *re = layout.real(product.data(), ky), *im = layout.imaginary(product.data(), ky);
        for (std::size_t x = 0; x < layout.image.cols; ++x) {
            const float k2 = y2[ky] + x2[x];
            const float pass = along[x] * (k2 / (k2 + slow2));
            re[x] *= pass;
            im[x] *= pass;
        }
    }
    a.fft().backward(product.data(), cyclic, threads);
}

// Where the parabola through three values is highest, from the middle one.
float vertex(float before, float here, float after) {
    const float curvature = before - 2 * here + after;
    return curvature < 0 ? 0.5f * (before - after) / curvature : 0.0f;
}

bool highest(const float* at, std::ptrdiff_t pitch) {
    for (std::ptrdiff_t dy = -1; dy <= 1; ++dy) {
        for (std::ptrdiff_t dx = -1; dx <= 1; ++dx) {
            const bool earlier = dy < 0 || (dy == 0 && dx < 0);
            // Of equal neighbours the last one counts.
            const float other = at[dy * pitch + dx];
            if ((dy != 0 || dx != 0) && !(earlier ? *at >= other : *at > other)) return false;
        }
    }
    return true;
}

std::vector<Peak> maxima(const float* surface, Shape reach) {
    const std::size_t rows = 2 * reach.rows + 1, cols = 2 * reach.cols + 1;
    const auto pitch = static_cast<std::ptrdiff_t>(cols);
    std::vector<Peak> found;
    for (std::size_t r = 1; r + 1 < rows; ++r) {
        for (std::size_t c = 1; c + 1 < cols; ++c) {
            const float* at = surface + r * cols + c;
            if (!(*at > 0) || !highest(at, pitch)) continue;
            const float y = vertex(at[-pitch], *at, at[pitch]), x = vertex(at[-1], *at, at[1]);
            const float fall_y = 1 - (at[-pitch] + at[pitch]) / (2 * *at);
            const float fall_x = 1 - (at[-1] + at[1]) / (2 * *at);
            found.push_back({static_cast<float>(r) - static_cast<float>(reach.rows) + y,
                             static_cast<float>(c) - static_cast<float>(reach.cols) + x, *at,
                             std::min(fall_y, fall_x)});
        }
    }
    return found;
}

struct Sums {
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
};

// One row of the overlap, in float32 pieces too short to lose anything.
void add_row(const float* a, const float* b, std::size_t count, Sums& total) {
    constexpr std::size_t piece = 64;
    for (std::size_t start = 0; start < count; start += piece) {
        float sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
        for (std::size_t i = start; i < std::min(start + piece, count); ++i) {
            sa += a[i];
            sb += b[i];
            saa += a[i] * a[i];
            sbb += b[i] * b[i];
            sab += a[i] * b[i];
        }
        total.a += static_cast<double>(sa);
        total.b += static_cast<double>(sb);
        total.aa += static_cast<double>(saa);
        total.bb += static_cast<double>(sbb);
        total.ab += static_cast<double>(sab);
    }
}

}  // namespace

void cut_lags(const float* cyclic, Shape shape, Shape reach, float* surface) {
    for (std::size_t r = 0; r < 2 * reach.rows + 1; ++r) {
        const float* row = cyclic + (r + shape.rows - reach.rows) % shape.rows * shape.cols;
        for (std::size_t c = 0; c < 2 * reach.cols + 1; ++c) {
            *surface++ = row[c < reach.cols ? c + shape.cols - reach.cols : c - reach.cols];
        }
    }
}

std::vector<Peak> peaks(const Frame& reference, const Frame& moving, Shape reach, std::size_t most,
                        unsigned threads) {
    const Shape shape = reference.shape();
    if (moving.shape() != shape) {
        throw std::invalid_argument("reference is " + shape.text() + " pixels and moving " +
                                    moving.shape().text() + "; expected frames of one shape");
    }
    // A cyclic correlation has no lags beyond half its length.
    reach = {std::min(reach.rows + 1, (shape.rows - 1) / 2),
             std::min(reach.cols + 1, (shape.cols - 1) / 2)};
    const Scratch<float> cyclic(shape.size());
    correlate(reference, moving, cyclic.data(), threads);
    const Scratch<float> surface((2 * reach.rows + 1) * (2 * reach.cols + 1));
    cut_lags(cyclic.data(), shape, reach, surface.data());
    std::vector<Peak> found = maxima(surface.data(), reach);
    const auto higher = [](const Peak& a, const Peak& b) { return a.height > b.height; };
    std::stable_sort(found.begin(), found.end(), higher);
    if (found.size() > most) found.resize(most);
    return found;
}

double overlap_correlation(const Frame& reference, const Frame& moving, double dy, double dx) {
    const Shape shape = reference.shape();
    const auto rows = static_cast<std::ptrdiff_t>(shape.rows);
    const auto cols = static_cast<std::ptrdiff_t>(shape.cols);
    const auto y = static_cast<std::ptrdiff_t>(std::lround(dy));
    const auto x = static_cast<std::ptrdiff_t>(std::lround(dx));
    const std::ptrdiff_t top = std::max<std::ptrdiff_t>(0, -y),
                         left = std::max<std::ptrdiff_t>(0, -x);
    const std::ptrdiff_t high = rows - std::abs(y), wide = cols - std::abs(x);
    if (high < 1 || wide < 1) return 0;
    Sums s;
    for (std::ptrdiff_t r = top; r < top + high; ++r) {
        add_row(reference.pixels() + r * cols + left, moving.pixels() + (r + y) * cols + left + x,
                static_cast<std::size_t>(wide), s);
    }
    const double n = static_cast<double>(high) * static_cast<double>(wide);
    const double va = s.aa - s.a * s.a / n, vb = s.bb - s.b * s.b / n;
    if (!(va > 0) || !(vb > 0)) return 0;
    return std::clamp((s.ab - s.a * s.b / n) / std::sqrt(va * vb), -1.0, 1.0);
}

}  // namespace stemzoo::drift
