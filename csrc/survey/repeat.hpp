// How far away a picture repeats itself.
#pragma once

#include <limits>

#include "core/array.hpp"

namespace stemzoo::survey {

struct Repeat {
    double correlation = 0;  // the highest, away from no distance
    double distance = std::numeric_limits<double>::quiet_NaN();  // px: the shortest of those alike
};

// By the normalised cross-correlation of a picture with itself. A crystal repeats at every lattice
// vector, however many columns are in the picture and however they differ; shapes of many sizes do
// not. Pixels are contiguous; threads = 0 means all cores.
Repeat nearest_repeat(const float* pixels, Shape image, unsigned threads);

}  // namespace stemzoo::survey
