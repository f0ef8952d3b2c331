// What correlation looks for its peaks in: frequencies of columns, neither of shading nor of noise.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace stemzoo::drift {

// Cycles per pixel of the Gaussian low-pass: columns at least some four pixels apart give peaks,
// and pixel noise gives few. What is slower than `slowest` is shading, which has no sharp peak.
constexpr double cutoff = 0.2, slowest = 0.02;

// Squared, of every frequency along one axis.
inline std::vector<float> square_frequencies(std::size_t n) {
    std::vector<float> squares(n);
    for (std::size_t i = 0; i < n; ++i) {
        const double k = static_cast<double>(std::min(i, n - i)) / static_cast<double>(n);
        squares[i] = static_cast<float>(k * k);
    }
    return squares;
}

inline std::vector<float> low_pass(std::vector<float> squares) {
    for (float& k2 : squares) k2 = std::exp(-k2 / static_cast<float>(cutoff * cutoff));
    return squares;
}

}  // namespace stemzoo::drift
