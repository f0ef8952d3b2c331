// The noise of a frame about a clean estimate of it: its variance and its spectrum.
//
// Variance(mean) = gain * (mean - offset) + readout^2 is that of a detector that counts. Afterglow,
// smoothing and resampling correlate the noise of neighbouring pixels: its spectrum is not flat.
#pragma once

#include <limits>
#include <vector>

#include "core/array.hpp"
#include "survey/noise_spectrum.hpp"

namespace stemzoo::survey {

// Residuals beyond, in standard deviations, are hot pixels or jumps of the beam.
inline constexpr double outlier = 8;

// In the units of the frame; `gain` is the signal of one electron per pixel. Where the noise does
// not grow with the signal, gain and offset are NaN, and `readout` is the standard deviation of all
// noise. Readout noise and an offset cannot be told apart where both are there: one of them is 0.
struct NoiseModel {
    double gain = std::numeric_limits<double>::quiet_NaN();
    double offset = std::numeric_limits<double>::quiet_NaN();
    double readout = 0;
    double level = 0, slope = 0;  // variance = level + slope * intensity, as fitted
    NoiseSpectrum spectrum;
    bool white = true;
};

// Of contiguous pixels, finite; `clean` is the estimate of `raw` without noise. threads = 0 means
// all cores.
NoiseModel measure_noise(const float* raw, const float* clean, Shape shape, unsigned threads);

}  // namespace stemzoo::survey
