#include "scan/predict.hpp"

#include <algorithm>
#include <cmath>

#include "core/fft2d.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::ptrdiff_t nearby = 2;  // frequencies on either side that are taken together
constexpr double pi = 3.14159265358979323846;
constexpr double blur = 1;             // px: standard deviation of what is smoothed anyway
constexpr double edge = 0.08;          // of a side, over which pictures fade out
constexpr float seen = 0.25f;          // samples from which on a pixel counts
constexpr float trust_in_own = 0.05f;  // relative to the others'
constexpr float strongest = 4;         // how much others' contrast may be amplified
constexpr std::size_t grain = 16;

float fade(std::size_t i, std::size_t size) {
    const double width = edge * static_cast<double>(size);
    const double away = static_cast<double>(std::min(i, size - 1 - i)) + 0.5;
    if (away >= width) return 1;
    const double s = std::sin(0.5 * pi * away / width);
    return static_cast<float>(s * s);
}

// Smoothing along one axis, at frequency k of n. A regression on few frequencies lets some noise
// through, and the slopes of a pilot, by which rows are placed, are mostly of high frequencies.
double smoothing(std::size_t k, std::size_t n) {
    const double f = static_cast<double>(std::min(k, n - k)) / static_cast<double>(n);
    return std::exp(-2 * pi * pi * f * f * blur * blur);
}

// A map over the frequencies of a layout, [rows, cols].
using Map = std::vector<float>;

// Sums over the neighbourhood of each frequency. A frequency beyond the half that a layout holds
// has its mirror image's value.
Map summed(const Map& map, const SpectrumLayout& layout, unsigned threads) {
    const auto rows = static_cast<std::ptrdiff_t>(layout.rows),
               cols = static_cast<std::ptrdiff_t>(layout.image.cols),
               height = static_cast<std::ptrdiff_t>(layout.image.rows);
    Map across(map.size()), result(map.size());
    const auto at = [cols](std::ptrdiff_t y, std::ptrdiff_t x) {
        return static_cast<std::size_t>(y * cols + (x % cols + cols) % cols);
    };
    parallel_for(layout.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (auto y = static_cast<std::ptrdiff_t>(begin); y < static_cast<std::ptrdiff_t>(end);
             ++y) {
            for (std::ptrdiff_t x = 0; x < cols; ++x) {
                const bool middle = x >= nearby && x + nearby < cols;
                float total = 0;
                for (std::ptrdiff_t k = x - nearby; k <= x + nearby; ++k) {
                    total += map[middle ? static_cast<std::size_t>(y * cols + k) : at(y, k)];
                }
                across[at(y, x)] = total;
            }
        }
    });
    parallel_for(layout.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (auto y = static_cast<std::ptrdiff_t>(begin); y < static_cast<std::ptrdiff_t>(end);
             ++y) {
            float* const to = result.data() + y * cols;
            for (std::ptrdiff_t k = y - nearby; k <= y + nearby; ++k) {
                if (k >= 0 && k < rows) {
                    const float* const from = across.data() + k * cols;
                    for (std::ptrdiff_t x = 0; x < cols; ++x) to[x] += from[x];
                    continue;
                }
                const std::ptrdiff_t mirror = k < 0 ? -k : height - k;
                for (std::ptrdiff_t x = 0; x < cols; ++x) to[x] += across[at(mirror, -x)];
            }
        }
    });
    return result;
}

// The regression of own on others in the neighbourhood of each frequency.
Map regression(const SpectrumLayout& layout, const float* own, const float* others,
               unsigned threads) {
    const std::size_t cols = layout.image.cols;
    Map cross(layout.rows * cols), power(layout.rows * cols);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        const float *const ar = layout.real(own, ky), *const ai = layout.imaginary(own, ky),
                           *const br = layout.real(others, ky),
                           *const bi = layout.imaginary(others, ky);
        for (std::size_t kx = 0; kx < cols; ++kx) {
            cross[ky * cols + kx] = ar[kx] * br[kx] + ai[kx] * bi[kx];
            power[ky * cols + kx] = br[kx] * br[kx] + bi[kx] * bi[kx];
        }
    }
    cross = summed(cross, layout, threads);
    power = summed(power, layout, threads);
    for (std::size_t i = 0; i < cross.size(); ++i) {
        cross[i] = power[i] > 0 ? std::clamp(cross[i] / power[i], 0.0f, strongest) : 0;
    }
    return cross;
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
    const auto offset_own = static_cast<float>(mean_own),
               offset_others = static_cast<float>(mean_others);
    // Where others saw nothing, the scan's own rows tell where their neighbours are.
    Splat helped = others;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        const float gain = trust_in_own;
        helped.sum[i] += gain * (own.sum[i] + (offset_others - offset_own) * own.weight[i]);
        helped.weight[i] += gain * own.weight[i];
    }
    std::vector<float> mine = filled(own, threads), theirs = filled(helped, threads);
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
    std::vector<double> right;
    for (std::size_t kx = 0; kx < shape.cols; ++kx) right.push_back(smoothing(kx, shape.cols));
    const Map pass = regression(layout, a.data(), b.data(), threads);
    fft.forward(theirs.data(), b.data(), threads);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        float *const re = layout.real(b.data(), ky), *const im = layout.imaginary(b.data(), ky);
        const double down = smoothing(ky, shape.rows);
        for (std::size_t kx = 0; kx < shape.cols; ++kx) {
            const auto p = static_cast<float>(down * right[kx]) * pass[ky * shape.cols + kx];
            re[kx] *= p;
            im[kx] *= p;
        }
    }
    fft.backward(b.data(), theirs.data(), threads);
    for (float& value : theirs) value += offset_own;
    return theirs;
}

}  // namespace stemzoo::scan
