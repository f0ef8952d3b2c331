// Images moved by fractions of a pixel, each row by its own. There is nothing outside an image.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/array.hpp"

namespace stemzoo::drift {

// What each row of the result is made of: weights[row * count ...] of `count` neighbours, of which
// first[row] is the first.
struct Taps {
    const std::int64_t* first;
    const float* weights;
    std::size_t count;
};

// Images are contiguous. Row r is made of the image's rows first[r] ...
void move_rows(const float* image, Shape shape, const Taps& taps, float* result);

// Column c of row r is made of columns c + first[r] ... of that row.
void slide_rows(const float* image, Shape shape, const Taps& taps, float* result);

}  // namespace stemzoo::drift
