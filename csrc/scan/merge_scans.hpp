// Scans of one place in several directions, merged into one picture without their distortions.
#pragma once

#include <vector>

#include "drift/comparison.hpp"
#include "scan/scan.hpp"

namespace stemzoo::scan {

struct Merge {
    std::vector<float> picture;                   // NaN where no sample is
    std::vector<float> coverage;                  // samples at each pixel
    std::vector<std::vector<Pair>> paths, sigma;  // of each scan, px along its own axes
    std::vector<float> whole;                     // the picture with gaps filled
    // Of the scans after the first, which lattice vector they were placed by, and what else it
    // could be; the least certain of all.
    drift::Drift placing;
};

// Scans that are not in memory are read again and again, one or two at a time: beside them, memory
// holds some pictures, however many scans there are. From the third on, where a scan lies is
// decided beside the last ones of those before it.
//
// The paths that the scans come with are added to. The picture has the shape of the first scan and
// lies where that lay on average. `comparison` is for frames of that shape. threads = 0: all cores.
// Throws std::invalid_argument for scans that are too small, or all in one direction.
Merge merge_scans(std::vector<Scan> scans, const drift::Comparison& comparison, unsigned threads);

// The picture alone, of scans along paths that are known.
Merge merge_along(const std::vector<Scan>& scans, Shape picture, unsigned threads);

// What a scan shows beyond the whole picture of a merge at its places; NaN outside the picture.
std::vector<float> residual(const std::vector<float>& whole, Shape picture, const Scan& scan,
                            unsigned threads);

}  // namespace stemzoo::scan
