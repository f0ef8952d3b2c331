// Windows: how a frame fades out towards its edges, so that they make no cross in its spectrum.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

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

}  // namespace stemzoo
