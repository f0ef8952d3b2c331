// What other scans say a scan should show: their picture, filtered by how well it predicts the
// scan's own at each frequency.
#pragma once

#include <vector>

#include "scan/splat.hpp"

namespace stemzoo::scan {

// Regression, ring by ring of frequencies, of the scan's own picture on that of the others: where
// both agree the others' picture stands, where they do not, as in their noise, it is left out.
// Gain and offset of the others become the scan's own.
std::vector<float> predict(const Splat& own, const Splat& others, unsigned threads);

}  // namespace stemzoo::scan
