#include "spectrum/whiteness.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace stemzoo::spectrum {
namespace {

struct Band {
    double from, to;  // cycles per pixel
};

// A specimen's power ends below, but for sharp edges at a high dose.
constexpr Band medium{0.2, 0.36}, high{0.42, 0.5}, beside{0.26, 0.5};
constexpr double least_contrast = 0.3;
constexpr double sure = 6;            // standard deviations of the contrast of white noise
constexpr double of_one = 1.5;        // that of log(power) at one frequency, and a little more
constexpr std::size_t most = 8192;    // frequencies are enough for a mean
constexpr std::size_t smallest = 64;  // px
constexpr std::size_t rough = 64;     // frequencies are enough for a median that limits are set by
constexpr float most_above = 16;      // times the median: Bragg peaks count no more
constexpr float least = 1e-30f;

struct Span {
    Span(Band band, std::size_t side)
        : begin(static_cast<std::size_t>(std::ceil(band.from * static_cast<double>(side)))),
          end(static_cast<std::size_t>(band.to * static_cast<double>(side))) {}

    std::size_t size() const { return end - begin; }
    std::size_t begin, end;
};

struct Level {
    double log_power, variance;
};

float median(std::vector<float> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// Over a patch of frequencies and its mirror image.
Level level(const SpectrumLayout& layout, const float* spectrum, Band down, Band across) {
    const Span rows(down, layout.image.rows), cols(across, layout.image.cols);
    const std::size_t step = 1 + 2 * rows.size() * cols.size() / most,
                      mirror = layout.image.cols - cols.end + 1;
    std::vector<float> powers;
    powers.reserve(2 * (rows.size() / step + 1) * cols.size());
    for (std::size_t ky = rows.begin; ky < rows.end; ky += step) {
        const float *const re = layout.real(spectrum, ky), *const im =
                                                               layout.imaginary(spectrum, ky);
        for (const std::size_t begin : {cols.begin, mirror}) {
            for (std::size_t kx = begin; kx < begin + cols.size(); ++kx) {
                powers.push_back(re[kx] * re[kx] + im[kx] * im[kx]);
            }
        }
    }
    std::vector<float> few;
    for (std::size_t i = 0; i < powers.size(); i += 1 + powers.size() / rough) {
        few.push_back(powers[i]);
    }
    const float cap = std::max(most_above * median(std::move(few)), least);
    // The logarithm of a product of as many as a double holds, for it is slow.
    constexpr std::size_t at_once = 8;
    double sum = 0;
    for (std::size_t i = 0; i < powers.size(); i += at_once) {
        double product = 1;
        const std::size_t end = std::min(i + at_once, powers.size());
        for (std::size_t k = i; k < end; ++k) {
            product *= static_cast<double>(std::clamp(powers[k], least, cap));
        }
        sum += std::log(product);
    }
    const auto count = static_cast<double>(powers.size());
    return {sum / count, of_one * of_one / count};
}

}  // namespace

bool Contrast::coloured() const { return std::max(std::abs(y), std::abs(x)) > limit; }

Contrast contrast(const SpectrumLayout& layout, const float* spectrum) {
    if (std::min(layout.image.rows, layout.image.cols) < smallest) return {};
    const Level medium_y = level(layout, spectrum, medium, beside),
                high_y = level(layout, spectrum, high, beside),
                medium_x = level(layout, spectrum, beside, medium),
                high_x = level(layout, spectrum, beside, high);
    const double variance =
        std::max(medium_y.variance + high_y.variance, medium_x.variance + high_x.variance);
    return {medium_y.log_power - high_y.log_power, medium_x.log_power - high_x.log_power,
            std::max(least_contrast, sure * std::sqrt(variance))};
}

}  // namespace stemzoo::spectrum
