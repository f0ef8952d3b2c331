#include "drift/bandpass.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/taper.hpp"
#include "drift/frame.hpp"
#include "drift/kernels.hpp"

namespace stemzoo::drift {
namespace {

// Cycles per pixel of the Gaussian low-pass: columns at least some four pixels apart give peaks,
// and pixel noise gives few. What is slower than `slowest` is shading, which has no sharp peak.
constexpr double cutoff = 0.2, slowest = 0.02;

// Half resolution suffices when less than `least_share` of the signal power lies above `shown`
// cycles per pixel along either axis: every other pixel shows frequencies up to a quarter, those
// near it badly. Power counts as signal above `loud_noise` times the noise level.
constexpr float shown = 0.2f, loud_noise = 12.0f;
constexpr double least_share = 0.03;

constexpr std::size_t least_halved = 64;  // px: there is room for interpolation

bool may_halve_side(std::size_t side) { return side >= least_halved && side % 2 == 0; }

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

double mean_square(const std::vector<float>& values) {
    double total = 0;
    for (const float x : values) total += static_cast<double>(x) * static_cast<double>(x);
    return total / static_cast<double>(values.size());
}

// The frequencies that every other pixel shows, without the highest, which stands for two. They are
// halved: a transform back divides by a quarter of the pixels.
struct Halving {
    explicit Halving(const SpectrumLayout& part)
        : size(part.size),
          rows((part.image.rows + 1) / 2),
          positive((part.image.cols + 1) / 2),
          negative((part.image.cols - 1) / 2) {}

    Scratch<float> empty() const {
        Scratch<float> spectrum(size);
        std::fill_n(spectrum.data(), size, 0.0f);
        return spectrum;
    }

    std::size_t size, rows, positive, negative;
};

}  // namespace

BandTables::BandTables(Shape frame)
    : x2(square_frequencies(frame.cols)),
      y2(square_frequencies(frame.rows)),
      along(low_pass(x2)),
      down(low_pass(y2)),
      slow2(static_cast<float>(slowest * slowest)),
      loud(static_cast<float>(static_cast<double>(loud_noise) * mean_square(taper(frame.rows)) *
                              mean_square(taper(frame.cols)))),
      shown2(shown * shown) {}

bool may_halve(Shape frame, const BandPower& power) {
    return power.beyond <= least_share * power.total && may_halve_side(frame.rows) &&
           may_halve_side(frame.cols);
}

Scratch<float> tapered_spectrum(const Frame& frame, unsigned threads) {
    const SpectrumLayout& layout = frame.fft().layout();
    const std::vector<float> down = taper(layout.image.rows), across = taper(layout.image.cols);
    const Fading fading{down.data(), across.data()};
    Scratch<float> spectrum(layout.size);
    frame.fft().forward(frame.pixels(), spectrum.data(), threads, &fading);
    return spectrum;
}

BandPassed band_passed(const Frame& frame, const float* tapered) {
    const SpectrumLayout& layout = frame.fft().layout();
    const std::size_t cols = layout.image.cols;
    const BandTables tables(layout.image);
    const float loud = tables.loud * static_cast<float>(frame.noise());
    const auto row = [&](std::size_t ky) {
        return BandRow{layout.real(tapered, ky),
                       layout.imaginary(tapered, ky),
                       tables.along.data(),
                       tables.x2.data(),
                       tables.down[ky],
                       tables.y2[ky],
                       tables.slow2};
    };
    BandPower power;
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        const BandPower here = kernels().band_power(row(ky), cols, loud, tables.shown2);
        power.total += here.total;
        power.beyond += here.beyond;
    }
    if (may_halve(layout.image, power)) {
        const SpectrumLayout part = halved(layout);
        const Halving half(part);
        BandPassed result{half.empty(), 2};
        float* const to = result.spectrum.data();
        for (std::size_t ky = 0; ky < half.rows; ++ky) {
            float *const re = part.real(to, ky), *const im = part.imaginary(to, ky);
            const std::size_t end = part.image.cols - half.negative;
            kernels().band_pass(row(ky), 0, half.positive, 0.5f, re, im);
            kernels().band_pass(row(ky), cols - half.negative, half.negative, 0.5f, re + end,
                                im + end);
        }
        return result;
    }
    BandPassed result{Scratch<float>(layout.size), 1};
    float* const to = result.spectrum.data();
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        kernels().band_pass(row(ky), 0, cols, 1, layout.real(to, ky), layout.imaginary(to, ky));
    }
    return result;
}

SpectrumLayout halved(const SpectrumLayout& whole) {
    return SpectrumLayout({whole.image.rows / 2, whole.image.cols / 2});
}

Scratch<float> halved(const SpectrumLayout& whole, const float* spectrum) {
    const SpectrumLayout part = halved(whole);
    const Halving half(part);
    Scratch<float> result = half.empty();
    const auto copy = [&](const float* from, float* to) {
        const auto times = [](float x) { return x / 2; };
        std::transform(from, from + half.positive, to, times);
        const float* const end = from + whole.image.cols;
        std::transform(end - half.negative, end, to + part.image.cols - half.negative, times);
    };
    for (std::size_t ky = 0; ky < half.rows; ++ky) {
        copy(whole.real(spectrum, ky), part.real(result.data(), ky));
        copy(whole.imaginary(spectrum, ky), part.imaginary(result.data(), ky));
    }
    return result;
}

}  // namespace stemzoo::drift
