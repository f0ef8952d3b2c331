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

struct Span {
    Span(Band band, std::size_t side)
        : begin(static_cast<std::size_t>(std::ceil(band.from * static_cast<double>(side)))),
          end(static_cast<std::size_t>(band.to * static_cast<double>(side))) {}

    std::size_t size() const { return end - begin; }
    std::size_t begin, end;
};

Patch patch(Shape image, Band down, Band across) {
    const Span rows(down, image.rows), cols(across, image.cols);
    const std::size_t step = 1 + 2 * rows.size() * cols.size() / most;
    return {rows.begin,  step,       (rows.size() + step - 1) / step,
            cols.size(), cols.begin, image.cols - cols.end + 1};
}

float median(std::vector<float> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

double log_power(const SpectrumLayout& layout, const float* spectrum, const Patch& patch) {
    std::vector<float> powers(patch.count());
    float* to = powers.data();
    for (std::size_t row = 0; row < patch.rows; ++row) {
        const std::size_t ky = patch.row + row * patch.row_step;
        const float *const re = layout.real(spectrum, ky), *const im =
                                                               layout.imaginary(spectrum, ky);
        for (const std::size_t begin : {patch.left, patch.right}) {
            for (std::size_t i = 0; i < patch.cols; ++i) {
                const float x = re[begin + i], y = im[begin + i];
                to[i] = x * x + y * y;
            }
            to += patch.cols;
        }
    }
    std::vector<float> few;
    for (std::size_t i = 0; i < powers.size(); i += patch.rough_step()) few.push_back(powers[i]);
    const float cap = std::max(most_power * median(std::move(few)), least_power);
    // The logarithm of a product of as many as a double holds, for it is slow.
    constexpr std::size_t at_once = 8;
    double sum = 0;
    for (std::size_t i = 0; i < powers.size(); i += at_once) {
        double product = 1;
        const std::size_t end = std::min(i + at_once, powers.size());
        for (std::size_t k = i; k < end; ++k) {
            product *= static_cast<double>(std::clamp(powers[k], least_power, cap));
        }
        sum += std::log(product);
    }
    return sum / static_cast<double>(powers.size());
}

bool too_small(Shape image) { return std::min(image.rows, image.cols) < smallest; }

}  // namespace

bool Contrast::coloured() const { return std::max(std::abs(y), std::abs(x)) > limit; }

std::array<Patch, 4> contrast_patches(Shape image) {
    return {patch(image, medium, beside), patch(image, high, beside), patch(image, beside, medium),
            patch(image, beside, high)};
}

Contrast contrast(Shape image, const std::array<double, 4>& log_powers) {
    if (too_small(image)) return {};
    const std::array<Patch, 4> patches = contrast_patches(image);
    const auto variance = [&](std::size_t i) {
        return of_one * of_one / static_cast<double>(patches[i].count());
    };
    const double most_variance = std::max(variance(0) + variance(1), variance(2) + variance(3));
    return {log_powers[0] - log_powers[1], log_powers[2] - log_powers[3],
            std::max(least_contrast, sure * std::sqrt(most_variance))};
}

Contrast contrast(const SpectrumLayout& layout, const float* spectrum) {
    if (too_small(layout.image)) return {};
    std::array<double, 4> log_powers{};
    const std::array<Patch, 4> patches = contrast_patches(layout.image);
    for (std::size_t i = 0; i < patches.size(); ++i) {
        log_powers[i] = log_power(layout, spectrum, patches[i]);
    }
    return contrast(layout.image, log_powers);
}

}  // namespace stemzoo::spectrum
