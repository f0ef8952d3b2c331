// The drift of a pair to the precision that its counts allow, from a start within about half a
// pixel.
//
// moving(r) = offset + gain * reference(r - d) is fitted by instruments: the four equations
//
//     sum over r of  z_i(r) (moving - offset - gain * reference shifted by d) = 0
//
// hold on average at the true d whatever the z_i, since both sides show the same scene. They are
// solved best by z = (1, T, dT/dy, dT/dx) / variance, where T is the scene. T is estimated as the
// Wiener-filtered mean of both frames, the filter from what the power around each frequency exceeds
// the noise by: Bragg peaks pass. Powers know nothing of phases, so noise that happens to be alike
// in both frames at the start is not favoured, and does not hold the answer there.
//
// The variance of a residual is a + b T, fitted to the residuals themselves: Poisson's for counts,
// flat for read noise, whatever the detector's gain and offset. Its share in the answer's
// covariance is counted row by row (a sandwich estimate), for what a scan does wrong is common to a
// row.
#pragma once

#include <optional>

#include "drift/frame.hpp"
#include "drift/regression.hpp"

namespace stemzoo::drift {

// Nothing where the frames do not support it: no overlap, no scene in it, or a drift more than
// 2.5 pixels from the start. The answer does not depend on the number of threads; 0 means all
// cores.
std::optional<Refined> refine(const Frame& reference, const Frame& moving, double dy, double dx,
                              unsigned threads = 1, Start start = Start::rough);

}  // namespace stemzoo::drift
