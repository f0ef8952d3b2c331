// What correlation looks for its peaks in: frequencies of columns, neither of shading nor of noise.
#pragma once

#include "core/scratch.hpp"

namespace stemzoo::drift {

class Frame;

struct Passed {
    // Of the pixels faded out towards the frame's edges, for to Fourier opposite edges are
    // neighbours. By the root of the passband, as it is multiplied by another's.
    Scratch<float> spectrum;
    // Whether it holds nothing but noise beyond what every other pixel shows.
    bool coarse = false;
};

Passed pass(const Frame& frame, unsigned threads);

}  // namespace stemzoo::drift
