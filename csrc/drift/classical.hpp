// Evidence for drifts without a network: what is left of the frames without their lattice.
//
// Its correlation stands above chance at the true drift. By how many standard deviations it does
// gives the log-odds. A network, which knows single defects better, adds to them.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "drift/peaks.hpp"

namespace stemzoo::drift {

// One feature map: a look's third channel, blurred by about a probe, in place. Its scale does not
// matter.
void blur(float* channel, Shape shape);

// The standard deviation of the values of a surface.
double standard_deviation(const float* values, std::size_t count);

// Log-odds of every drift from the correlation of such maps, whose standard deviation over all
// drifts is that of chance; in place.
void classical_log_odds(float* correlation, std::size_t count, double chance);

// Log-odds of peaks from how much lower than the highest they are, relative to the overlap there:
// what ends within the frame matches itself only at the true drift. `correlation` is the frames'
// own at the highest peak: where it is low, noise makes the peaks.
std::vector<double> peak_log_odds(const std::vector<Peak>& peaks, double correlation, Shape frame);

}  // namespace stemzoo::drift
