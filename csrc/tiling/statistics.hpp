// The one global normalisation: mean and standard deviation of an image without its hot pixels.
#pragma once

#include <optional>

#include "core/array.hpp"

namespace stemzoo {

struct Limits {
    double low, high;
};

struct Statistics {
    double mean;
    double std;   // of the population
    bool finite;  // false: a pixel is NaN, infinite or too large to square; do not use the rest
    std::optional<Limits> limits{};  // where there are hot pixels: the range of all others
};

// Independent of strides and of the number of threads, to the last bit. A constant image has a
// standard deviation of exactly zero.
//
// Hot pixels count with the value of a neighbour. A pixel is hot if
//   - it is over 20 standard deviations from the mean, both of the image without hot pixels;
//   - it is over 8 times the height of rare events, sqrt(sum d^4 / sum d^2) over the others'
//     deviations d: in sparse counts, where the standard deviation is far below one count, that
//     height is one count;
//   - six of its eight neighbours are below an eighth of its height, which those of a bright atom
//     are not;
//   - no more than a thousandth of all pixels is.
// Without hot pixels the result is that of plain sums, to the last bit.
Statistics measure(const AnyView& image, unsigned threads);

// Whether an image of so many pixels may have hot ones, by its range. Most have not.
bool may_have_hot_pixels(std::size_t pixels, double std, double farthest);

}  // namespace stemzoo
