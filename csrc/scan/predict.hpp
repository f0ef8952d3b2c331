// What other scans say a scan should show: their picture, filtered by how well it predicts the
// scan's own at each frequency.
#pragma once

#include <vector>

#include "scan/splat.hpp"

namespace stemzoo::scan {

// Regression of the scan's own picture on that of the others, frequency by frequency with those
// nearby: where both agree, as at the peaks of a lattice, the others' picture stands, where they do
// not, as in their noise, it is left out. Gain and offset become the scan's own.
std::vector<float> predict(const Splat& own, const Splat& others, unsigned threads);

}  // namespace stemzoo::scan
