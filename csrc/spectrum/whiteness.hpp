// Whether the noise of a frame is white, from its highest frequencies, where a specimen shows
// nothing.
#pragma once

#include "core/array.hpp"

namespace stemzoo::spectrum {

// The logarithm of the noise's power at medium frequencies over that at high ones, along each axis,
// and the largest that white noise reaches.
struct Contrast {
    double y = 0, x = 0, limit = 0;

    bool coloured() const;
};

// `magnitudes` are those of a frame of this shape through a Hann window: of the frequencies that a
// SpectrumLayout holds, row by row, image.cols apart. Of a frame too small to tell, zero.
Contrast contrast(Shape image, const float* magnitudes);

}  // namespace stemzoo::spectrum
