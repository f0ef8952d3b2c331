// What a feature network is given of a frame, at half its resolution: three channels.
//
// Correlation of a crystal is ruled by its Bragg peaks, and they are the same for every drift that
// is a lattice vector longer. So the first channel has them taken out: wherever the spectrum stands
// far above its surroundings at that distance from the centre. The second is the whole frame,
// compressed by asinh. Both are in units of the frame's white noise.
//
// The third is one number all over: how much the evidence in the first is worth. Were both frames
// Gaussian noise of which they share a part, the product of two frames' first channels, summed over
// an overlap, would have to be multiplied with it, once for each frame, to be the log-odds of that
// drift.
#pragma once

#include "core/array.hpp"

namespace stemzoo::drift {

// Rows and columns of a look: half of the frame's, after cutting those to multiples of four.
Shape look_shape(Shape frame);

// Writes three contiguous channels of look_shape(pixels.shape). Throws std::invalid_argument for
// frames of less than 8 x 8 pixels.
void look(const View<const float>& pixels, float* out, unsigned threads);

}  // namespace stemzoo::drift
