// The noise of a frame about a clean estimate of it: variance as a function of intensity, and
// correlation along rows.
#pragma once

#include <array>
#include <cstddef>

#include "core/array.hpp"

namespace stemzoo::scan {

// Variance(mean) = level * max(1 + slope * mean, least): gain * (mean - offset) + floor of
// a detector that counts, for intensities with any gain and offset. Of noise in units of its
// standard deviation, white[k] is the weight of the pixel k + 1 before in the linear prediction of
// a pixel: noise less its prediction is white.
//
// spectrum::NoiseColour is that of the noise alone: its medians leave out the specimen. Here what
// the model lacks of the specimen counts as noise, too, and has a colour. With NoiseColour instead,
// the test of merged scans fails: rows of a small frame are placed worse.
struct NoiseModel {
    static constexpr std::size_t order = 4;
    static constexpr float least_variance = 0.02f;

    double level = 1;
    double slope = 0;
    float least = least_variance;  // at least that of the quietest intensities
    std::array<float, order> white{};
    bool coloured = false;
    double unpredicted = 1;  // variance of the noise less its prediction
    // Of a row's own offset and gain, in standard deviations of the model: the precision of their
    // prior. 0: they may be anything.
    double level_precision = 0;
};

// From the pixels of `image` and of `model`, which is what the image would be without noise.
// The model has a standard deviation of 1.
// Pixels of the image that are not finite do not count, nor do `margin` columns on either side.
NoiseModel measure_noise(const float* image, const float* model, Shape shape, std::size_t margin,
                         unsigned threads);

}  // namespace stemzoo::scan
