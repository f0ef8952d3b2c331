// How much each pixel of a masked frame counts.
#pragma once

#include <cstdint>

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {

// 0 at pixels that are not valid and near them (interpolation carries what fills a hole that far),
// and from there rising to 1. `lost` is 1 at such pixels and 0 at
// all others, row by row.
Scratch<float> pixel_weights(const std::uint8_t* lost, Shape shape);

}  // namespace stemzoo::drift
