// Where a drift may be: the peaks of the correlation of two frames.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "drift/frame.hpp"
#include "drift/kernels.hpp"

namespace stemzoo::drift {

// `sharpness` is how much of its height a peak loses within a pixel of it, along either axis.
struct Peak {
    float dy, dx, height, sharpness;
};

// The highest `most` local maxima, highest first, of the cyclic correlation of two low-passed
// frames up to `reach`, between pixels. On a crystal there is one for every lattice vector.
std::vector<Peak> peaks(const Frame& reference, const Frame& moving, Shape reach, std::size_t most,
                        unsigned threads);

// The points at which a correlation is known, a whole number of pixels apart, and how far it is cut
// out around zero lag: up to the reach, and a border that is looked at from within.
struct PeakGrid {
    // Of frames whose band-passed spectra show every `step` pixels (drift/bandpass.hpp).
    PeakGrid(Shape frame, Shape reach, std::size_t step);

    Shape reach;  // px: what of it a cyclic correlation has
    std::size_t step;
    Shape points, cut;  // from zero lag, in points
    std::size_t border;

    Shape surface() const { return {2 * cut.rows + 1, 2 * cut.cols + 1}; }
};

// The peaks of a correlation cut out of a grid, zero lag in its middle.
std::vector<Peak> peaks_of(const float* surface, const PeakGrid& grid, std::size_t most);

// Pearson's correlation of the two frames' overlap once a drift, to the nearest pixel, is undone;
// 0 where nothing overlaps or a side is constant. A drift that is not finite is refused.
double overlap_correlation(const Frame& reference, const Frame& moving, double dy, double dx);

// Pearson's correlation of an overlap of this many pixels, from its sums.
double correlation_of(const OverlapSums& sums, double pixels);

}  // namespace stemzoo::drift
