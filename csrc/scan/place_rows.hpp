// The rows of a scan placed by what the other scans show.
#pragma once

#include <vector>

#include "scan/scan.hpp"
#include "scan/splat.hpp"

namespace stemzoo::scan {

// Replaces the path of the scan, and gives its standard deviations. `own` is the scan where it lies
// now, `others` the scans beside it. Rows are looked for up to `reach` from where they lie.
std::vector<Pair> place_rows(Scan& scan, const Splat& own, const Splat& others, Reach reach,
                             unsigned threads);

}  // namespace stemzoo::scan
