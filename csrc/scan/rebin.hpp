// Counts put where the beam was when they were recorded: none is lost, none invented.
#pragma once

#include <cstddef>

#include "core/array.hpp"
#include "scan/scan.hpp"

namespace stemzoo::scan {

struct Corner {
    std::size_t row = 0, col = 0;
};

// Adds counts to `sums`. At each pixel of a scan `depth` numbers were recorded, which lie one after
// another in memory: energies, a diffraction pattern. Each pixel is a square that is divided among
// the four pixels of the picture that it covers, in proportion to the area.
//
// `counts` is the part of the scan that begins at `first`, `sums` the part of the picture that
// begins at `corner`; what lands outside `sums` is left out. scan.pixels is not read. The result
// does not depend on the number of threads.
void rebin(const AnyView& counts, Corner first, std::size_t depth, const Scan& scan,
           View<float> sums, Corner corner, Shape picture, unsigned threads);

}  // namespace stemzoo::scan
