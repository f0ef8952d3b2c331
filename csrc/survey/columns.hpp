// The columns of a clean picture: its maxima.
#pragma once

#include <limits>

#include "core/array.hpp"

namespace stemzoo::survey {

// Columns that are sharper, in px, are undersampled: maxima are those of a picture blurred so.
inline constexpr double column_blur = 0.7;
// Quantiles of the blurred picture; the contrast is the difference.
inline constexpr double dark_quantile = 0.01, bright_quantile = 0.995;

struct Columns {
    std::size_t count = 0;  // of maxima that stand out
    bool enough = false;    // to tell a spacing
    bool ordered = false;   // whether distances of nearest neighbours are alike
    // px: the median distance of a column to the nearest; NaN where there are too few.
    double spacing = std::numeric_limits<double>::quiet_NaN();
};

// Of contiguous pixels, blurred.
Columns columns_of(const float* smooth, Shape shape, double contrast);

}  // namespace stemzoo::survey
