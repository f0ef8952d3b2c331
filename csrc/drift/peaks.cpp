#include "drift/peaks.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/scratch.hpp"
#include "drift/checks.hpp"
#include "drift/kernels.hpp"
#include "drift/lags.hpp"

namespace stemzoo::drift {
namespace {

// A surface on every other pixel is interpolated from this many of its points on either side of a
// place half-way between two. A broad peak loses little of its height within a pixel, so slow waves
// are to be exact: errors are some thousandths of what a wave loses in a pixel, down to a period of
// 5.7 px.
constexpr std::size_t taps = 8;
constexpr float halfway[taps] = {0.629698f, -0.192134f, 0.096057f, -0.051369f,
                                 0.026185f, -0.011643f, 0.003914f, -0.000708f};

void correlate(const float* a, const float* b, const Fft2d& fft, float* cyclic, unsigned threads) {
    const SpectrumLayout& layout = fft.layout();
    const Scratch<float> product(layout.size);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        kernels().product(layout.real(a, ky), layout.imaginary(a, ky), layout.real(b, ky),
                          layout.imaginary(b, ky), layout.image.cols,
                          layout.real(product.data(), ky), layout.imaginary(product.data(), ky));
    }
    fft.backward(product.data(), cyclic, threads);
}

// Where the parabola through three values is highest, from the middle one.
float vertex(float before, float here, float after) {
    const float curvature = before - 2 * here + after;
    return curvature < 0 ? 0.5f * (before - after) / curvature : 0.0f;
}

// The values around a pixel, which is (y, x) from a point of the surface.
struct Around {
    float value[3][3];
    int y = 0, x = 0;

    Peak peak() const {
        const float here = value[1][1];
        const float up = value[0][1], down = value[2][1], left = value[1][0], right = value[1][2];
        const float fall_y = 1 - (up + down) / (2 * here), fall_x = 1 - (left + right) / (2 * here);
        return {static_cast<float>(y) + vertex(up, here, down),
                static_cast<float>(x) + vertex(left, here, right), here, std::min(fall_y, fall_x)};
    }
};

Around around(const float* at, std::size_t pitch) {
    Around found;
    for (std::size_t y = 0; y < 3; ++y) {
        for (std::size_t x = 0; x < 3; ++x) {
            found.value[y][x] = *(at - pitch - 1 + y * pitch + x);
        }
    }
    return found;
}

// The `count` values half a step after those from `at` on.
void halfway_to(const float* at, std::ptrdiff_t step, std::size_t count, float* out) {
    std::fill_n(out, count, 0.0f);
    for (std::size_t i = 0; i < taps; ++i) {
        const auto away = static_cast<std::ptrdiff_t>(i) * step;
        const float *before = at - away, *after = at + step + away;
        for (std::size_t x = 0; x < count; ++x) out[x] += halfway[i] * (before[x] + after[x]);
    }
}

// The highest pixel next to a maximum of a surface on every other pixel.
Around highest_beside(const float* at, std::size_t pitch) {
    constexpr std::size_t line = 2 * taps + 1, wide = 5;  // pixels up to two away
    const auto step = static_cast<std::ptrdiff_t>(pitch);
    float lines[wide][line], pixel[wide][wide];
    const float* const from = at - taps;
    std::copy_n(from - step, line, lines[0]);
    halfway_to(from - step, step, line, lines[1]);
    std::copy_n(from, line, lines[2]);
    halfway_to(from, step, line, lines[3]);
    std::copy_n(from + step, line, lines[4]);
    for (std::size_t y = 0; y < wide; ++y) {
        const float* const middle = lines[y] + taps;
        float between[2];
        halfway_to(middle - 1, 1, 2, between);
        const float row[wide] = {middle[-1], between[0], middle[0], between[1], middle[1]};
        std::copy_n(row, wide, pixel[y]);
    }
    std::size_t top = 2, left = 2;
    for (std::size_t y = 1; y + 1 < wide; ++y) {
        for (std::size_t x = 1; x + 1 < wide; ++x) {
            if (pixel[y][x] > pixel[top][left]) {
                top = y;
                left = x;
            }
        }
    }
    Around found = around(&pixel[top][left], wide);
    found.y = static_cast<int>(top) - 2;
    found.x = static_cast<int>(left) - 2;
    return found;
}

// Of a surface with zero lag in its middle, as far as `reach`; it goes on for `border` points.
std::vector<Peak> maxima(const float* surface, Shape reach, std::size_t border, std::size_t step) {
    const std::size_t cols = 2 * reach.cols + 1, pitch = cols + 2 * border;
    const auto lag = [step](std::size_t at, std::size_t middle) {
        const auto points = static_cast<std::ptrdiff_t>(at) - static_cast<std::ptrdiff_t>(middle);
        return static_cast<float>(points * static_cast<std::ptrdiff_t>(step));
    };
    std::vector<std::int32_t> marks(cols);
    std::vector<Peak> found;
    for (std::size_t r = 0; r < 2 * reach.rows + 1; ++r) {
        const float* row = surface + (r + border) * pitch + border;
        kernels().mark_maxima(row, pitch, cols, marks.data());
        const auto end = marks.end();
        const auto set = [](std::int32_t mark) { return mark != 0; };
        for (auto mark = marks.begin(); (mark = std::find_if(mark, end, set)) != end; ++mark) {
            const auto c = static_cast<std::size_t>(mark - marks.begin());
            Peak peak =
                (step == 1 ? around(row + c, pitch) : highest_beside(row + c, pitch)).peak();
            peak.dy += lag(r, reach.rows);
            peak.dx += lag(c, reach.cols);
            found.push_back(peak);
        }
    }
    return found;
}

}  // namespace

void cut_lags(const float* cyclic, Shape shape, Shape reach, float* surface) {
    for (std::size_t r = 0; r < 2 * reach.rows + 1; ++r) {
        const float* row = cyclic + (r + shape.rows - reach.rows) % shape.rows * shape.cols;
        const float* const negative = row + shape.cols - reach.cols;
        for (std::size_t c = 0; c < reach.cols; ++c) *surface++ = negative[c];
        for (std::size_t c = 0; c <= reach.cols; ++c) *surface++ = row[c];
    }
}

// A cyclic correlation has no lags beyond half its length. The highest pixel may lie one nearer
// than the highest point.
PeakGrid::PeakGrid(Shape frame, Shape wanted, std::size_t steps)
    : reach{std::min(wanted.rows, (frame.rows - 1) / 2 - 1),
            std::min(wanted.cols, (frame.cols - 1) / 2 - 1)},
      step(steps),
      points{(reach.rows + step - 1) / step, (reach.cols + step - 1) / step},
      border(step == 1 ? 1 : taps) {
    cut = {points.rows + border, points.cols + border};
}

std::vector<Peak> peaks_of(const float* surface, const PeakGrid& grid, std::size_t most) {
    std::vector<Peak> found = maxima(surface, grid.points, grid.border, grid.step);
    const auto beyond = [&](const Peak& peak) {
        return std::abs(peak.dy) > static_cast<float>(grid.reach.rows) + 0.5f ||
               std::abs(peak.dx) > static_cast<float>(grid.reach.cols) + 0.5f;
    };
    found.erase(std::remove_if(found.begin(), found.end(), beyond), found.end());
    const auto higher = [](const Peak& a, const Peak& b) { return a.height > b.height; };
    std::stable_sort(found.begin(), found.end(), higher);
    if (found.size() > most) found.resize(most);
    return found;
}

std::vector<Peak> peaks(const Frame& reference, const Frame& moving, Shape reach, std::size_t most,
                        unsigned threads) {
    require_one_shape(reference, moving);
    const BandPassed &still = reference.band_passed(threads), &moved = moving.band_passed(threads);
    const SpectrumLayout& whole = reference.fft().layout();
    const PeakGrid grid(reference.shape(), reach, std::max(still.step, moved.step));
    const Fft2d fft = grid.step == 1 ? reference.fft() : Fft2d(halved(whole).image);
    Scratch<float> cut_down;  // of a frame that shows more than the other
    const auto on_grid = [&](const BandPassed& passed) {
        if (passed.step == grid.step) return static_cast<const float*>(passed.spectrum.data());
        cut_down = halved(whole, passed.spectrum.data());
        return static_cast<const float*>(cut_down.data());
    };
    const Shape cyclic_shape = fft.layout().image;
    const Scratch<float> cyclic(cyclic_shape.size());
    correlate(on_grid(still), on_grid(moved), fft, cyclic.data(), threads);
    const Scratch<float> surface(grid.surface().size());
    cut_lags(cyclic.data(), cyclic_shape, grid.cut, surface.data());
    return peaks_of(surface.data(), grid, most);
}

double correlation_of(const OverlapSums& s, double n) {
    const double va = s.aa - s.a * s.a / n, vb = s.bb - s.b * s.b / n;
    if (!(va > 0) || !(vb > 0)) return 0;
    return std::clamp((s.ab - s.a * s.b / n) / std::sqrt(va * vb), -1.0, 1.0);
}

double overlap_correlation(const Frame& reference, const Frame& moving, double dy, double dx) {
    require_one_shape(reference, moving);
    require_finite(dy, dx);
    const Shape shape = reference.shape();
    const auto rows = static_cast<std::ptrdiff_t>(shape.rows);
    const auto cols = static_cast<std::ptrdiff_t>(shape.cols);
    // A whole number holds no drift of 1e300, and nothing overlaps there.
    if (!(std::abs(dy) < static_cast<double>(rows) && std::abs(dx) < static_cast<double>(cols))) {
        return 0;
    }
    const auto y = static_cast<std::ptrdiff_t>(std::lround(dy));
    const auto x = static_cast<std::ptrdiff_t>(std::lround(dx));
    const std::ptrdiff_t top = std::max<std::ptrdiff_t>(0, -y),
                         left = std::max<std::ptrdiff_t>(0, -x);
    const std::ptrdiff_t high = rows - std::abs(y), wide = cols - std::abs(x);
    if (high < 1 || wide < 1) return 0;
    OverlapSums s;
    for (std::ptrdiff_t r = top; r < top + high; ++r) {
        kernels().overlap(reference.pixels() + r * cols + left,
                          moving.pixels() + (r + y) * cols + left + x,
                          static_cast<std::size_t>(wide), s);
    }
    return correlation_of(s, static_cast<double>(high) * static_cast<double>(wide));
}

}  // namespace stemzoo::drift
