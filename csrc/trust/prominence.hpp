// The maxima of an image and how far each rises above the saddle to a higher one (0-dimensional
// persistence; Edelsbrunner, Letscher and Zomorodian 2002). It needs no scale.
#pragma once

#include <cstdint>
#include <vector>

#include "core/array.hpp"

namespace stemzoo::trust {

struct Maximum {
    std::uint32_t place = 0;  // row * columns + column
    float saddle = 0;         // value of the highest saddle to a higher maximum; the least value
                              // of the image for the highest maximum of all
};

// The maxima that rise by at least `least` above their saddle, highest first. Pixels are neighbours
// of the eight around them. Of equal pixels, the later one is the lower. Pixels must be finite.
std::vector<Maximum> maxima(const float* image, Shape shape, float least);

}  // namespace stemzoo::trust
