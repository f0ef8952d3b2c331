#include "scan/predict.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/fft2d.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t rings = 128;    // up to the corner of the spectrum
constexpr double corner = 0.7072;     // 1/px
constexpr double edge = 0.08;         // of a side, over which pictures fade out
constexpr float seen = 0.25f;         // samples from which on a pixel counts
constexpr double strongest = 4;       // how much others' contrast may be amplified
constexpr std::size_t grain = 16;

float fade(std::size_t i, std::size_t size) {
    const double width = edge * static_cast<double>(size);
    const double away = static_cast<double>(std::min(i, size - 1 - i)) + 0.5;
    if (away >= width) return 1;
    const double s = std::sin(0.5 * 3.14159265358979323846 * away / width);
    return static_cast<float>(s * s);
}

double frequency(std::size_t k, std::size_t n) {
    return (static_cast<double>(k) - (2 * k > n ? static_cast<double>(n) : 0.0)) /
           static_cast<double>(n);
}

std::size_t ring_of(double fy, double fx) {
    return std::min(static_cast<std::size_t>(std::hypot(fy, fx) / corner * rings), rings - 1);
}

// Sums over rings, in a fixed order.
struct Sums {
    std::array<double, rings> cross{}, power{};
};

Sums sums_of(const SpectrumLayout& layout, const float* own, const float* others,
             unsigned threads) {
    std::vector<Sums> rows(layout.rows);
    const Shape shape = layout.image;
    parallel_for(layout.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t ky = begin; ky < end; ++ky) {
            const float *const ar = layout.real(own, ky), *const ai = layout.imaginary(own, ky),
                        *const br = layout.real(others, ky),
                        *const bi = layout.imaginary(others, ky);
            const double fy = frequency(ky, shape.rows);
            for (std::size_t kx = 0; kx < shape.cols; ++kx) {
                const std::size_t ring = ring_of(fy, frequency(kx, shape.cols));
                rows[ky].cross[ring] += static_cast<double>(ar[kx] * br[kx] + ai[kx] * bi[kx]);
                rows[ky].power[ring] += static_cast<double>(br[kx] * br[kx] + bi[kx] * bi[kx]);
            }
        }
    });
    Sums total;
    for (const Sums& row : rows) {
        for (std::size_t r = 0; r < rings; ++r) {
            total.cross[r] += row.cross[r];
            total.power[r] += row.power[r];
        }
    }
    return total;
}

// The regression of own on others on each ring and its neighbours.
std::array<float, rings> coefficients(const Sums& sums) {
    std::array<float, rings> result{};
    for (std::size_t r = 0; r < rings; ++r) {
        double cross = 0, power = 0;
        for (std::size_t k = r == 0 ? 0 : r - 1; k <= std::min(r + 1, rings - 1); ++k) {
            cross += sums.cross[k];
            power += sums.power[k];
        }
        if (power > 0) result[r] = static_cast<float>(std::clamp(cross / power, 0.0, strongest));
    }
    return result;
}

}  // namespace

std::vector<float> predict(const Splat& own, const Splat& others, unsigned threads) {
    const Shape shape = own.shape;
    double mean_own = 0, mean_others = 0, count = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (own.weight[i] < seen || others.weight[i] < seen) continue;
        mean_own += static_cast<double>(own.sum[i] / own.weight[i]);
        mean_others += static_cast<double>(others.sum[i] / others.weight[i]);
        count += 1;
    }
    if (count > 0) {
        mean_own /= count;
        mean_others /= count;
    }
    std::vector<float> mine = filled(own, threads), theirs = filled(others, threads);
    const auto offset_own = static_cast<float>(mean_own),
               offset_others = static_cast<float>(mean_others);
    std::vector<float> faded(shape.size());
    parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y) {
            for (std::size_t x = 0; x < shape.cols; ++x) {
                const std::size_t i = y * shape.cols + x;
                const float part = fade(y, shape.rows) * fade(x, shape.cols);
                mine[i] = (mine[i] - offset_own) * part;
                theirs[i] -= offset_others;
                faded[i] = theirs[i] * part;
            }
        }
    });
    const Fft2d fft(shape);
    const SpectrumLayout& layout = fft.layout();
    const Scratch<float> a(layout.size), b(layout.size);
    fft.forward(mine.data(), a.data(), threads);
    fft.forward(faded.data(), b.data(), threads);
    const auto pass = coefficients(sums_of(layout, a.data(), b.data(), threads));
    fft.forward(theirs.data(), b.data(), threads);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        float *const re = layout.real(b.data(), ky), *const im = layout.imaginary(b.data(), ky);
        for (std::size_t kx = 0; kx < shape.cols; ++kx) {
            const float p =
                pass[ring_of(frequency(ky, shape.rows), frequency(kx, shape.cols))];
            re[kx] *= p;
            im[kx] *= p;
        }
    }
    fft.backward(b.data(), theirs.data(), threads);
    for (float& value : theirs) value += offset_own;
    return theirs;
}

}  // namespace stemzoo::scan
