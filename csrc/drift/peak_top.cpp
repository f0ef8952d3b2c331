#include "drift/peak_top.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

#include "core/scratch.hpp"
#include "core/taper.hpp"
#include "drift/kernels.hpp"
#include "drift/regression.hpp"

namespace stemzoo::drift {
namespace {

constexpr double farthest = 0.2;  // px, from the parabola's vertex

// The correlation, its slope and its curvature.
struct Slopes {
    double value = 0, y = 0, x = 0, yy = 0, yx = 0, xx = 0;

    // A row of frequencies `k`, whose sums are turned by its own phase.
    void add(const TurnedSums& sums, double k, double times, double dy) {
        const double c = std::cos(k * dy), s = std::sin(k * dy);
        const auto re = [&](int i) { return times * (sums.re[i] * c - sums.im[i] * s); };
        const auto im = [&](int i) { return times * (sums.re[i] * s + sums.im[i] * c); };
        value += re(0);
        y -= k * im(0);
        x -= im(1);
        yy -= k * k * re(0);
        yx -= k * re(1);
        xx -= re(2);
    }
};

Slopes slopes_at(const BandPassed& still, const BandPassed& moved, Shape frame, const Vector& at) {
    const auto step = still.step;
    const SpectrumLayout layout({frame.rows / step, frame.cols / step});
    const std::size_t cols = layout.image.cols;
    const auto pixels = static_cast<double>(step);
    const Scratch<float> along(3 * cols);
    float *const re = along.data(), *const im = re + cols, *const frequency = im + cols;
    for (std::size_t x = 0; x < cols; ++x) {
        const double k = angular_frequency(x, cols) / pixels;
        re[x] = static_cast<float>(std::cos(k * at[1]));
        im[x] = static_cast<float>(std::sin(k * at[1]));
        frequency[x] = static_cast<float>(k);
    }
    const float *const a = still.spectrum.data(), *const b = moved.spectrum.data();
    Slopes slopes;
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        const bool once = ky == 0 || 2 * ky == layout.image.rows;
        const TurnedRow row{layout.real(a, ky),
                            layout.imaginary(a, ky),
                            layout.real(b, ky),
                            layout.imaginary(b, ky),
                            re,
                            im,
                            frequency};
        slopes.add(kernels().turned(row, cols), angular_frequency(ky, layout.image.rows) / pixels,
                   once ? 1 : 2, at[0]);
    }
    return slopes;
}

// The relative slope of what two frames have in common along one side, by their tapers alone.
double fading(std::size_t side, double drift) {
    const std::vector<float> weights = taper(side);
    const std::ptrdiff_t near = std::lround(drift), n = static_cast<std::ptrdiff_t>(side);
    const auto common = [&](std::ptrdiff_t lag) {
        double sum = 0;
        for (std::ptrdiff_t i = 0; i + std::abs(lag) < n; ++i) {
            sum += static_cast<double>(weights[static_cast<std::size_t>(i)] *
                                       weights[static_cast<std::size_t>(i + std::abs(lag))]);
        }
        return sum;
    };
    const double here = common(near);
    return here > 0 ? (common(near + 1) - common(near - 1)) / (2 * here) : 0;
}

}  // namespace

std::optional<Vector> peak_top(const Frame& reference, const Frame& moving,
                               const Vector& parabola) {
    const BandPassed &still = reference.band_passed(), &moved = moving.band_passed();
    if (still.step != moved.step) return std::nullopt;
    const Shape shape = reference.shape();
    Slopes s = slopes_at(still, moved, shape, parabola);
    s.y -= s.value * fading(shape.rows, parabola[0]);
    s.x -= s.value * fading(shape.cols, parabola[1]);
    const double determinant = s.yy * s.xx - s.yx * s.yx;
    if (!(s.yy < 0 && s.xx < 0 && determinant > 0)) return std::nullopt;
    const double dy = (s.yx * s.x - s.xx * s.y) / determinant,
                 dx = (s.yx * s.y - s.yy * s.x) / determinant;
    if (!(std::hypot(dy, dx) <= farthest)) return std::nullopt;
    return Vector{parabola[0] + dy, parabola[1] + dx};
}

}  // namespace stemzoo::drift
