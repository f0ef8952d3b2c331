// Sizes of one correlation problem: the images, the lags asked for, the padded transforms.
#pragma once

#include <cstddef>
#include <tuple>

#include "core/array.hpp"

namespace stemzoo::ncc {

// Half-open ranges of rows and columns.
struct Rect {
    std::size_t row0, row1, col0, col1;

    std::size_t rows() const { return row1 - row0; }
    std::size_t cols() const { return col1 - col0; }
    std::size_t size() const { return rows() * cols(); }
};

struct Geometry {
    Shape image;
    std::size_t max_dy, max_dx;
    std::size_t fft_rows, fft_cols;  // at least image + max shift: no lag wraps into another

    Shape surface() const { return {2 * max_dy + 1, 2 * max_dx + 1}; }

    // Where the reference overlaps the moving image shifted by the lag at (row, col) of the
    // surface. The moving image's part is `overlap` of the opposite lag.
    Rect overlap(std::size_t row, std::size_t col) const {
        const std::size_t up = row < max_dy ? max_dy - row : 0;
        const std::size_t down = row > max_dy ? row - max_dy : 0;
        const std::size_t left = col < max_dx ? max_dx - col : 0;
        const std::size_t right = col > max_dx ? col - max_dx : 0;
        return {up, image.rows - down, left, image.cols - right};
    }
    Rect moving_overlap(std::size_t row, std::size_t col) const {
        return overlap(2 * max_dy - row, 2 * max_dx - col);
    }

    bool operator==(const Geometry& o) const {
        return image == o.image && max_dy == o.max_dy && max_dx == o.max_dx;
    }
};

// Throws std::invalid_argument for images or shifts that leave nothing to correlate.
Geometry make_geometry(Shape image, std::size_t max_dy, std::size_t max_dx);

}  // namespace stemzoo::ncc
