// Sums of an image over its overlap with a shifted one, for every lag.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "ncc/geometry.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::ncc {

// Over columns of scaled pixels, from Spectral::columns.
struct ColumnSums {
    std::vector<double> sum, square_sum;
};

// One entry a lag, in the order of the surface, for the image in the role of the reference. The
// moving image's entries are those of the opposite lag: the same arrays read backwards.
struct OverlapSums {
    std::vector<double> sum;
    std::vector<double> variance;  // times the number of pixels
    double energy = 0;             // the sum of squares over the whole image
};

OverlapSums overlap_sums(const AnyView& image, Scaling scaling, const ColumnSums& columns,
                         const Geometry& geometry);

// The scaled pixels of one row, in float64.
void read_row(const AnyView& image, Scaling scaling, std::size_t row, double* out);

}  // namespace stemzoo::ncc
