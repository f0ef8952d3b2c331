// Whether the noise of a frame is white, from its highest frequencies, where a specimen shows
// nothing.
#pragma once

#include "core/fft2d.hpp"

namespace stemzoo::spectrum {

// The logarithm of the noise's power at medium frequencies over that at high ones, along each axis,
// and the largest that white noise reaches.
struct Contrast {
    double y = 0, x = 0, limit = 0;

    bool coloured() const;
};

// `spectrum` is that of a frame faded out towards its edges (core/taper.hpp). Of a frame too small
// to tell, zero.
Contrast contrast(const SpectrumLayout& layout, const float* spectrum);

}  // namespace stemzoo::spectrum
