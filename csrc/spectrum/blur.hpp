// Images blurred by a Gaussian.
#pragma once

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::spectrum {

// Contiguous pixels blurred by a Gaussian of `sigma` px, periodic at the edges. threads = 0 means
// all cores.
Scratch<float> blurred(const float* pixels, Shape image, double sigma, unsigned threads);

}  // namespace stemzoo::spectrum
