// The path of the beam from what each row says of it: a smooth drift, jumps, and jitter of rows.
//
// Along one axis, row y was recorded at s[y] + j[y]. The drift s is an integrated random walk, a
// cubic smoothing spline in state-space form (Wahba; Kohn and Ansley 1987); the jitter j is white.
// The variances of both are those of the highest likelihood. Rows at which the drift jumps are
// found by the smoother's residuals (de Jong and Penzer, JASA 93, 1998).
#pragma once

#include <cstddef>
#include <vector>

#include "scan/displacement_prior.hpp"

namespace stemzoo::scan {

struct PathModel {
    double bend = 0;    // variance of the change of the drift's velocity from row to row, px^2
    double jitter = 0;  // variance of the rows about the drift, px^2
    std::vector<std::size_t> jumps;  // rows before which the drift jumps
};

struct SmoothPath {
    PathModel model;
    std::vector<double> drift, jitter, sigma;  // of each row, px; sigma is that of their sum
};

// Rows without information lie where the drift of their neighbours leads. `apart` is what is known
// of the jitter of such rows from elsewhere.
SmoothPath smooth_path(const RowEstimates& rows, const RowEstimates& apart);

}  // namespace stemzoo::scan
