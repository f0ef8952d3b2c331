#include "drift/passed.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "drift/frame.hpp"
#include "drift/taper.hpp"

namespace stemzoo::drift {
namespace {

// Cycles per pixel of the Gaussian low-pass: columns at least some four pixels apart give peaks,
// and pixel noise gives few. What is slower than `slowest` is shading, which has no sharp peak.
constexpr double cutoff = 0.2, slowest = 0.02;

// Every other pixel shows frequencies up to a quarter, those near it badly. A frame has nothing
// there if what is `loud` beside its noise, which noise alone is not, has less than this share of
// its power.
constexpr float shown = 0.2f, loud = 12.0f;
constexpr double least_share = 0.03;

constexpr std::size_t least_halved = 64;  // px: there is room for interpolation

bool may_halve(std::size_t side) { return side >= least_halved && side % 2 == 0; }

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

}  // namespace

Passed pass(const Frame& frame, unsigned threads) {
    const SpectrumLayout& layout = frame.fft().layout();
    const std::size_t rows = layout.image.rows, cols = layout.image.cols;
    Passed passed{Scratch<float>(layout.size)};
    const std::vector<float> fade_y = taper(rows), fade_x = taper(cols);
    const Scratch<float> pixels = faded(frame.pixels(), fade_y, fade_x);
    frame.fft().forward(pixels.data(), passed.spectrum.data(), threads);

    const auto noise =
        static_cast<float>(frame.noise() * mean_square(fade_y) * mean_square(fade_x));
    const std::vector<float> x2 = square_frequencies(cols), y2 = square_frequencies(rows);
    const std::vector<float> along = low_pass(x2), down = low_pass(y2);
    constexpr auto slow2 = static_cast<float>(slowest * slowest);
    std::vector<float> power(cols);
    double beyond = 0, total = 0;
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        float *re = layout.real(passed.spectrum.data(), ky),
              *im = layout.imaginary(passed.spectrum.data(), ky);
        for (std::size_t x = 0; x < cols; ++x) {
            const float k2 = y2[ky] + x2[x], here = re[x] * re[x] + im[x] * im[x];
            const float band = down[ky] * along[x] * (k2 / (k2 + slow2)), root = std::sqrt(band);
            power[x] = here > loud * noise ? here * band : 0.0f;
            re[x] *= root;
            im[x] *= root;
        }
        for (std::size_t x = 0; x < cols; ++x) {
            const auto here = static_cast<double>(power[x]);
            total += here;
            if (std::max(y2[ky], x2[x]) > shown * shown) beyond += here;
        }
    }
    if (beyond <= least_share * total && may_halve(rows) && may_halve(cols)) {
        passed.spectrum = halved(layout, passed.spectrum.data());
        passed.step = 2;
    }
    return passed;
}

SpectrumLayout halved(const SpectrumLayout& whole) {
    return SpectrumLayout({whole.image.rows / 2, whole.image.cols / 2});
}

Scratch<float> halved(const SpectrumLayout& whole, const float* spectrum) {
    const SpectrumLayout part = halved(whole);
    Scratch<float> result(part.size);
    std::fill_n(result.data(), part.size, 0.0f);
    // Without what is at its highest frequency, which stands for two.
    const std::size_t rows = (part.image.rows + 1) / 2, positive = (part.image.cols + 1) / 2,
                      negative = (part.image.cols - 1) / 2;
    const auto copy = [&](const float* from, float* to) {
        const auto half = [](float x) { return x / 2; };  // a transform back divides by a quarter
        std::transform(from, from + positive, to, half);
        const float* const end = from + whole.image.cols;
        std::transform(end - negative, end, to + part.image.cols - negative, half);
    };
    for (std::size_t ky = 0; ky < rows; ++ky) {
        copy(whole.real(spectrum, ky), part.real(result.data(), ky));
        copy(whole.imaginary(spectrum, ky), part.imaginary(result.data(), ky));
    }
    return result;
}

}  // namespace stemzoo::drift
