// Where a drift may be: the peaks of the correlation of two frames.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "drift/frame.hpp"

namespace stemzoo::drift {

// `sharpness` is how much of its height a peak loses within a pixel of it, along either axis.
struct Peak {
    float dy, dx, height, sharpness;
};

// The highest `most` local maxima, highest first, of the cyclic correlation of two low-passed
// frames up to `reach`, between pixels. On a crystal there is one for every lattice vector.
std::vector<Peak> peaks(const Frame& reference, const Frame& moving, Shape reach, std::size_t most,
                        unsigned threads);

// Pearson's correlation of the two frames' overlap once a drift, to the nearest pixel, is undone;
// 0 where nothing overlaps or a side is constant. A drift that is not finite is refused.
double overlap_correlation(const Frame& reference, const Frame& moving, double dy, double dx);

}  // namespace stemzoo::drift
