// What a feature network is given of a frame: what is left of it without its lattice, and the
// frame, both at half its resolution and in units of its white noise.
//
// Correlation of a crystal is ruled by its Bragg peaks, and they are the same for every drift that
// is a lattice vector longer. So the first channel has them taken out: wherever the spectrum stands
// far above its surroundings at that distance from the centre. The second is compressed by asinh.
#pragma once

#include "core/array.hpp"

namespace stemzoo::drift {

// Rows and columns of a look: half of the frame's, after cutting those to multiples of four.
Shape look_shape(Shape frame);

// Writes two contiguous channels of look_shape(pixels.shape). Throws std::invalid_argument for
// frames of less than 8 x 8 pixels.
void look(const View<const float>& pixels, float* out, unsigned threads);

}  // namespace stemzoo::drift
