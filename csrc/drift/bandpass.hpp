// The band-pass under which frames are correlated for peaks: frequencies of columns, neither of
// shading nor of noise.
#pragma once

#include <cstddef>

#include "core/fft2d.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {

class Frame;

struct BandPassed {
    // By the root of the passband, as it is multiplied by another's.
    Scratch<float> spectrum;
    // Pixels from one that the spectrum shows to the next: two where there is nothing but noise
    // beyond what every other pixel shows.
    std::size_t step = 1;
};

// The spectrum of the pixels faded out towards the frame's edges, for to Fourier opposite edges are
// neighbours.
Scratch<float> tapered_spectrum(const Frame& frame, unsigned threads);

BandPassed band_passed(const Frame& frame, const float* tapered);

// Of every other pixel along either axis.
SpectrumLayout halved(const SpectrumLayout& whole);
Scratch<float> halved(const SpectrumLayout& whole, const float* spectrum);

}  // namespace stemzoo::drift
