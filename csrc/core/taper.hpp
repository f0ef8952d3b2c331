// Windows: how a frame fades out towards its edges, so that they make no cross in its spectrum.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/scratch.hpp"

namespace stemzoo {

// Weights along one side: a tenth of it fades out at either end.
inline std::vector<float> taper(std::size_t side) {
    constexpr double pi = 3.14159265358979323846, share = 0.1;
    const auto edge =
        std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(side)));
    std::vector<float> weights(side, 1.0f);
    for (std::size_t i = 0; i < edge; ++i) {
        const double along = (static_cast<double>(i) + 0.5) / static_cast<double>(edge);
        const double rise = 0.5 - 0.5 * std::cos(pi * along);
        weights[i] = weights[side - 1 - i] = static_cast<float>(rise);
    }
    return weights;
}

// Fades out all the way from the middle.
inline std::vector<float> hann(std::size_t side) {
    constexpr double pi = 3.14159265358979323846;
    std::vector<float> weights(side);
    for (std::size_t i = 0; i < side; ++i) {
        const double along = (static_cast<double>(i) + 0.5) / static_cast<double>(side);
        weights[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * pi * along));
    }
    return weights;
}

// The pixels, row by row, times the weights of their row and of their column.
inline Scratch<float> faded(const float* pixels, const std::vector<float>& rows,
                            const std::vector<float>& columns) {
    Scratch<float> result(rows.size() * columns.size());
    float* out = result.data();
    for (const float row : rows) {
        for (const float column : columns) *out++ = *pixels++ * (row * column);
    }
    return result;
}

}  // namespace stemzoo
