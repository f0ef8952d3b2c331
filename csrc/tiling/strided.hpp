// Reads a rectangle of an image of any strides into rows that lie one after another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "core/array.hpp"

namespace stemzoo {

template <typename T>
View<const T> part(const View<const T>& image, std::size_t row, std::size_t col, Shape shape) {
    return {&image.at(row, col), shape, image.row_stride, image.col_stride};
}

template <typename T, typename Out, typename Map>
void read_row(const T* in, std::ptrdiff_t stride, std::size_t count, const Map& map, Out* out) {
    if (stride == 1) {
        for (std::size_t i = 0; i < count; ++i) out[i] = map(in[i]);
    } else {
        for (std::size_t i = 0; i < count; ++i) {
            out[i] = map(in[static_cast<std::ptrdiff_t>(i) * stride]);
        }
    }
}

// out[r * pitch + c] = map(in(r, c)). Where columns lie together in memory, a few are read at a
// time, down all rows: the lines of one row of a large image would push each other out of the
// cache.
template <typename T, typename Out, typename Map>
void read_rows(const View<const T>& in, const Map& map, Out* out, std::size_t pitch) {
    const bool by_columns = std::abs(in.row_stride) < std::abs(in.col_stride);
    const std::size_t width = by_columns ? 8 : in.shape.cols;
    for (std::size_t col = 0; col < in.shape.cols; col += width) {
        const std::size_t count = std::min(width, in.shape.cols - col);
        for (std::size_t row = 0; row < in.shape.rows; ++row) {
            read_row(&in.at(row, col), in.col_stride, count, map, out + row * pitch + col);
        }
    }
}

}  // namespace stemzoo
