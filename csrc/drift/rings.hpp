// The frequencies of a spectrum by their distance from its centre, in rings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/fft2d.hpp"

namespace stemzoo::drift {

// Cycles per pixel of frequency i of n, negative ones from the middle on.
double frequency(std::size_t i, std::size_t n);

// Where in a spectrum each ring's frequencies are: at row * cols + column.
struct Rings {
    static constexpr std::size_t count = 48;
    static constexpr double corner = 0.7072;  // cycles per pixel: farther than any frequency

    explicit Rings(const SpectrumLayout& layout);

    // Of the whole spectrum, of which the layout holds half.
    double members(std::size_t ring) const;

    // Ring after ring. Those of the layout's first row, and of the last of an even number, are
    // their own mirror images; the others count twice, and stand behind them in their ring.
    std::vector<std::uint32_t> places;
    std::size_t begin[count + 1] = {}, twice[count] = {};
};

}  // namespace stemzoo::drift
