// The band-pass under which frames are correlated for peaks: frequencies of columns, neither of
// shading nor of noise.
#pragma once

#include <cstddef>
#include <vector>

#include "core/fft2d.hpp"
#include "core/scratch.hpp"
#include "drift/kernels.hpp"

namespace stemzoo::drift {

class Frame;

// What the passband is made of, for frequencies along either side of a frame.
struct BandTables {
    explicit BandTables(Shape frame);

    std::vector<float> x2, y2, along, down;  // as passband() takes them
    float slow2;
    // Power is loud above this, times the noise of the frame in one frequency; and it is not shown
    // by every other pixel where a squared frequency is above this along either axis.
    float loud, shown2;
};

// Whether every other pixel shows the signal.
bool may_halve(Shape frame, const BandPower& power);

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
