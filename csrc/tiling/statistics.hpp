// The one global normalisation: mean and standard deviation of an image.
#pragma once

#include "core/array.hpp"

namespace stemzoo {

struct Statistics {
    double mean;
    double std;   // of the population
    bool finite;  // false: a pixel is NaN, infinite or too large to square; do not use the rest
};

// Independent of strides and of the number of threads, to the last bit. A constant image has a
// standard deviation of exactly zero.
Statistics measure(const AnyView& image, unsigned threads);

}  // namespace stemzoo
