// What correlation looks for its peaks in: frequencies of columns, neither of shading nor of noise.
#pragma once

#include <cstddef>

#include "core/fft2d.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {

class Frame;

struct Passed {
    // Of the pixels faded out towards the frame's edges, for to Fourier opposite edges are
    // neighbours. By the root of the passband, as it is multiplied by another's.
    Scratch<float> spectrum;
    // Pixels from one that the spectrum shows to the next: two where there is nothing but noise
    // beyond what every other pixel shows.
    std::size_t step = 1;
};

Passed pass(const Frame& frame, unsigned threads);

// Of every other pixel along either axis.
SpectrumLayout halved(const SpectrumLayout& whole);
Scratch<float> halved(const SpectrumLayout& whole, const float* spectrum);

}  // namespace stemzoo::drift
