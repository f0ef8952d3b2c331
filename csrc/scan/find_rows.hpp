// Where the beam was while each row of a scan was recorded.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "core/progress.hpp"
#include "scan/row_likelihood.hpp"

namespace stemzoo::scan {

struct RowOptions {
    Reach reach{2, 5};  // px; a reach of 0 across rows: rows move only along themselves
    double slow = 25;   // rows; slower than this, displacements are left to the specimen. 0: none
    unsigned threads = 0;  // 0: all cores
    Progress progress{};   // if it returns false, Cancelled is thrown
};

// recorded[y, x] = specimen(y + displacement[y].y, x + displacement[y].x), in pixels, with the
// posterior standard deviation. `evidence` is the log-likelihood ratio of displaced rows against
// rows in their place, for each axis, and `common_evidence` that of which no row has more than a
// small part. `memory` is the correlation of neighbouring rows' displacements. `noise` is the
// variance of what the pilot does not explain, over that of the pilot.
struct Rows {
    std::vector<Pair> displacement, sigma;
    Pair evidence, common_evidence, memory;
    double noise = 0;
};

// By the posterior of each row given the pilot, an estimate of the specimen without noise, in the
// same units as the image. Blind to gain and offset. Throws std::invalid_argument for a pilot that
// is not finite and for frames too small for the reach.
Rows find_rows(const float* image, const float* pilot, Shape shape, const RowOptions& options);

}  // namespace stemzoo::scan
