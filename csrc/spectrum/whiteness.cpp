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

// A specimen's power ends below, but for sharp edges at a high dose: `least_contrast` is more than
// those show at 100 electrons per pixel.
constexpr Band medium{0.24, 0.36}, high{0.42, 0.5}, beside{0.3, 0.5};
constexpr double least_contrast = 0.2;
constexpr double sure = 6;             // standard deviations of the contrast of white noise
constexpr double of_median = 1.44;     // that of log(median power), times the root of the number
constexpr std::size_t most = 2048;     // frequencies for one median
constexpr std::size_t smallest = 64;   // px
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

// The median over a patch of frequencies and its mirror image. Bragg peaks are few.
Level level(Shape image, const float* magnitudes, Band down, Band across) {
    const Span rows(down, image.rows), cols(across, image.cols);
    const std::size_t step = 1 + 2 * rows.size() * cols.size() / most;
    std::vector<float> found;
    for (std::size_t ky = rows.begin; ky < rows.end; ky += step) {
        const float* const row = magnitudes + ky * image.cols;
        found.insert(found.end(), row + cols.begin, row + cols.end);
        found.insert(found.end(), row + image.cols - cols.end + 1,
                     row + image.cols - cols.begin + 1);
    }
    const auto middle = found.begin() + static_cast<std::ptrdiff_t>(found.size() / 2);
    std::nth_element(found.begin(), middle, found.end());
    return {2 * std::log(static_cast<double>(std::max(*middle, least))),
            of_median * of_median / static_cast<double>(found.size())};
}

}  // namespace

bool Contrast::coloured() const { return std::max(std::abs(y), std::abs(x)) > limit; }

Contrast contrast(Shape image, const float* magnitudes) {
    if (std::min(image.rows, image.cols) < smallest) return {};
    const Level medium_y = level(image, magnitudes, medium, beside),
                high_y = level(image, magnitudes, high, beside),
                medium_x = level(image, magnitudes, beside, medium),
                high_x = level(image, magnitudes, beside, high);
    const double variance = std::max(medium_y.variance + high_y.variance,
                                     medium_x.variance + high_x.variance);
    return {medium_y.log_power - high_y.log_power, medium_x.log_power - high_x.log_power,
            std::max(least_contrast, sure * std::sqrt(variance))};
}

}  // namespace stemzoo::spectrum
