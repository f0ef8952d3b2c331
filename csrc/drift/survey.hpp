// What a frame is like, by one pass over its pixels: what cleaning it needs to know.
#pragma once

#include <cstdint>
#include <vector>

#include "core/array.hpp"

namespace stemzoo::drift {

struct PixelStatistics {
    double mean = 0, mean_square = 0;
    float lowest = 0, highest = 0;

    double deviation() const;
    // Whether nothing is so far from the mean that it might be a hot pixel (tiling/statistics.hpp).
    bool no_outliers() const;
};

struct Survey {
    // Rows of pixels are contiguous, and their mean is near zero.
    explicit Survey(const View<const float>& pixels);

    float lowest, highest;
    double mean, mean_square;
    // Variance of white noise, by differences of differences: what is smooth over two pixels is not
    // in it. Every other pixel along each axis is enough.
    double noise;
    std::vector<float> row_means, column_means;
    std::vector<std::int32_t> same_rows, same_columns;  // 1 where all pixels have one value, else 0
};

}  // namespace stemzoo::drift
