// The dose of a frame, from its noise.
#pragma once

#include "core/array.hpp"
#include "survey/noise_model.hpp"

namespace stemzoo::survey {

// Electrons per pixel where the clean intensity is `bright`; NaN where the noise says nothing of
// it.
//
// The skewness of Poisson noise gives the mean dose, whatever the gain and the offset, as long as
// it is low. Otherwise the slope of the variance gives it; where the picture has little contrast,
// that may come out far too low, but not below what the skewness says.
double dose_of(const float* raw, const float* clean, Shape shape, double bright,
               const NoiseModel& noise);

}  // namespace stemzoo::survey
