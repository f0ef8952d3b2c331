// Frames whose noise is made white.
#pragma once

#include "core/scratch.hpp"
#include "spectrum/noise_colour.hpp"

namespace stemzoo::spectrum {

// Contiguous pixels of the colour's shape, with noise of the standard deviation 1 that is white,
// and nothing moved: the filter is symmetric. `highest` is the noise's highest power in units of
// these pixels: that of the colour, or of another frame whose noise has that colour.
//
// A little white noise is added before, `added` times that highest power. Where a frame has
// no more noise than that, it shows nothing either, as beyond the frequencies that it was zoomed
// from: what is there does not count afterwards. The added noise is the same for the same pixels,
// in any unit.
Scratch<float> whitened(const float* pixels, const NoiseColour& colour, double highest,
                        unsigned threads);

}  // namespace stemzoo::spectrum
