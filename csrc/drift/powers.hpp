// How a frame's power is spread over its frequencies, and which of it is a lattice's.
#pragma once

#include <memory>

#include "core/scratch.hpp"
#include "drift/rings.hpp"

namespace stemzoo::drift {

class Frame;

struct Powers {
    std::shared_ptr<const Rings> rings;
    // Ring after ring, of the pixels faded out towards the frame's edges by a Hann window.
    Scratch<float> by_ring;
    double total = 0;             // of the whole spectrum
    float lattice[Rings::count];  // what stands higher in its ring
};

Powers measured(const Frame& frame);

}  // namespace stemzoo::drift
