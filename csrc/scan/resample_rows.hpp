// A scan with its rows put where the beam really was.
#pragma once

#include <vector>

#include "core/array.hpp"
#include "scan/row_likelihood.hpp"

namespace stemzoo::scan {

// The specimen on the grid of pixels, from image[y, x] = specimen(y + dy, x + dx) with
// (dy, dx) = displacement[y]. Along rows: cubic B-splines, mirrored at the ends. Across rows, where
// any is displaced: kriging of the nearest rows, which leaves rows in their place as they are.
// Pixels that are not finite stay so where they land and spoil no others. Image and result are
// contiguous and may not overlap. Throws std::invalid_argument for displacements that are not
// finite or as large as the image.
void resample_rows(const float* image, Shape shape, const std::vector<Pair>& displacement,
                   float* result, unsigned threads);

}  // namespace stemzoo::scan
