// What one thread of the GPU does of a split; the twin of split.cpp.
#pragma once

#include <cstdint>

#include "cuda/frames.hpp"
#include "cuda/launch.hpp"
#include "tiling/affine.hpp"
#include "tiling/axis_grid.hpp"

namespace stemzoo::cuda {

using Grid = AxisGrid<std::uint32_t>;

// A column of a window, a few rows of it: batch[k] = map(window first + k of the image).
template <typename Map>
struct SplitColumn {
    static constexpr std::uint32_t rows_each = 4;

    Grid rows, cols;
    Frames image;
    Map map;
    std::uint32_t first;
    float* batch;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::uint32_t window = first + at.z;
        const std::uint32_t top = rows.start(window / cols.windows);
        const std::uint32_t col = cols.source(cols.start(window % cols.windows) + at.x);
        const std::uint32_t begin = at.y * rows_each;
        const std::uint32_t end = begin + rows_each < rows.tile ? begin + rows_each : rows.tile;
        for (std::uint32_t row = begin; row < end; ++row) {
            const std::size_t to = (std::size_t{at.z} * rows.tile + row) * cols.tile + at.x;
            batch[to] = map(image.at(0, rows.source(top + row), col));
        }
    }
};

}  // namespace stemzoo::cuda
