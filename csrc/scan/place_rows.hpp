// The rows of a scan placed by what the other scans show.
#pragma once

#include <vector>

#include "scan/scan.hpp"
#include "scan/splat.hpp"

namespace stemzoo::scan {

enum class Search { wide, narrow };

// Replaces the path of the scan, and gives its standard deviations. `own` is the scan where it lies
// now, `others` the scans beside it. A wide search finds rows some pixels from where the drift is
// thought to be; a narrow one refines what is known.
std::vector<Pair> place_rows(Scan& scan, const Splat& own, const Splat& others, Search search,
                             unsigned threads);

}  // namespace stemzoo::scan
