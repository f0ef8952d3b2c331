// How much each pixel of a masked frame counts.
#pragma once

#include <cstdint>

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {

// 0 at pixels that are not valid and near them (interpolation carries what fills a hole that far),
// and from there rising to 1. `valid` is 0 or 1, row by row.
Scratch<float> pixel_weights(const std::uint8_t* valid, Shape shape);

}  // namespace stemzoo::drift
