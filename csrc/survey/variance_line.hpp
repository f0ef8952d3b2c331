// The variance of the noise as a linear function of the intensity.
#pragma once

#include <cstddef>

namespace stemzoo::survey {

struct VarianceLine {
    double level = 0, slope = 0;  // variance = level + slope * intensity
    double slope_error = 0;       // standard error; infinite where a slope cannot be told
};

// By weighted least squares over bins of the clean intensity. Residuals of `limit` and more do not
// count.
VarianceLine variance_line(const float* clean, const float* residual, std::size_t count,
                           float limit);

}  // namespace stemzoo::survey
