// Masked pixels replaced by the mean of the others, so that a network sees no trace of their
// values.
#pragma once

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::inference {

// Nonzero where a pixel is masked: where it holds no measurement.
using Mask = View<const std::uint8_t>;

// A copy of the image in float64. Where every pixel is masked, it is zero.
Scratch<double> fill_masked(const AnyView& image, const Mask& mask);

}  // namespace stemzoo::inference
