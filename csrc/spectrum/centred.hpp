// An image less its mean, which a transform rounds less.
#pragma once

#include <cstddef>

#include "core/scratch.hpp"

namespace stemzoo::spectrum {

struct Centred {
    Centred(const float* image, std::size_t count) : pixels(count) {
        double sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(image[i]);
        mean = static_cast<float>(sum / static_cast<double>(count));
        for (std::size_t i = 0; i < count; ++i) pixels[i] = image[i] - mean;
    }

    float mean;
    Scratch<float> pixels;
};

}  // namespace stemzoo::spectrum
