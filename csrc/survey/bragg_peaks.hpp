// The Bragg peaks of a picture.
#pragma once

#include <cmath>
#include <vector>

#include "core/array.hpp"

namespace stemzoo::survey {

struct BraggPeak {
    double up = 0, across = 0;  // 1/px, along y and x
    double power = 0;

    double frequency() const { return std::hypot(up, across); }
};

// Isolated peaks in the power spectrum, the strongest first; of each pair of opposite peaks one is
// given. A peak is higher than everything 4 to 7 bins away, which the streaks of edges and of row
// jitter are not. Pixels are contiguous; threads = 0 means all cores.
std::vector<BraggPeak> bragg_peaks(const float* pixels, Shape image, unsigned threads);

}  // namespace stemzoo::survey
