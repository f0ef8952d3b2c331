// What a frame is like, by one pass over its pixels: what cleaning it needs to know.
#pragma once

#include <vector>

#include "core/array.hpp"

namespace stemzoo::drift {

struct Survey {
    // Rows of pixels are contiguous, and their mean is near zero.
    explicit Survey(const View<const float>& pixels);

    float lowest, highest;
    double mean_square;
    // Variance of white noise, by differences of differences: what is smooth over two pixels is not
    // in it. Every other pixel along each axis is enough.
    double noise;
    std::vector<float> row_means, column_means;
    std::vector<unsigned char> same_rows, same_columns;  // whose pixels all have one value
};

}  // namespace stemzoo::drift
