// Cubic B-spline interpolation of images on a grid of pixels, mirrored about their outermost ones
// (Unser, IEEE Signal Process. Mag. 16(6), 1999).
#pragma once

#include <array>
#include <cstddef>

#include "core/array.hpp"

namespace stemzoo::scan {

// Weights of the four coefficients first, first + 1, ... for the value and the derivative there.
struct CubicTaps {
    explicit CubicTaps(double place);

    std::ptrdiff_t first;
    std::array<float, 4> value, slope;
};

// Samples become B-spline coefficients, in place.
void spline_along_row(float* row, std::size_t cols);
void spline_across_rows(float* image, Shape shape);
void spline(float* image, Shape shape, unsigned threads);

// The pixel that stands for pixel i of an infinite, mirrored line.
std::size_t mirrored(std::ptrdiff_t i, std::size_t size);

}  // namespace stemzoo::scan
