// What one thread of the GPU does of a blend; the twin of blend.cpp. There, every window adds to
// the pixels it covers; here, every pixel asks the windows that cover it, in the same order.
#pragma once

#include <cstdint>

#include "core/array.hpp"
#include "cuda/launch.hpp"
#include "tiling/weighed_grid.hpp"

namespace stemzoo::cuda {

// A column of the image, a few rows of it from row `begin` on.
struct BlendColumn {
    static constexpr std::uint32_t rows_each = 8;

    WeighedGrid rows, cols;
    const float* batch;
    std::uint32_t first, last;  // windows
    double gain;
    bool fills;
    float fill;
    View<float> out;
    std::uint32_t begin, end;  // rows

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::uint32_t left = cols.grid.first_window_over(at.x);
        const std::uint32_t right = cols.grid.last_window_over(at.x);
        const std::uint32_t from = begin + at.y * rows_each;
        const std::uint32_t to = from + rows_each < end ? from + rows_each : end;
        for (std::uint32_t y = from; y < to; ++y) blend(y, at.x, left, right);
    }

  private:
    STEMZOO_ANYWHERE void blend(std::uint32_t y, std::uint32_t x, std::uint32_t left,
                                std::uint32_t right) const {
        float& pixel = out.data[static_cast<std::ptrdiff_t>(y) * out.row_stride +
                                static_cast<std::ptrdiff_t>(x) * out.col_stride];
        float value = 0;
        bool known = false;
        const std::uint32_t bottom = rows.grid.last_window_over(y);
        for (std::uint32_t row = rows.grid.first_window_over(y); row <= bottom; ++row) {
            const std::uint32_t i = y - rows.grid.start(row);
            const SpanOf<std::uint32_t> down = rows.grid.span(row);
            if (i < down.begin || i >= down.end) continue;
            const float factor = row_factor(down, i, y);
            for (std::uint32_t col = left; col <= right; ++col) {
                const std::uint32_t window = row * cols.grid.windows + col;
                const std::uint32_t j = x - cols.grid.start(col);
                const SpanOf<std::uint32_t> across = cols.grid.span(col);
                if (window < first || window >= last || j < across.begin || j >= across.end) {
                    continue;
                }
                // Earlier windows left no mark on a pixel beyond their last row and column.
                if (fills && i >= down.core_begin && j >= across.core_begin) {
                    value = fill;
                } else if (!known) {
                    value = pixel;
                }
                known = true;
                const bool alone = j >= across.core_begin && j < across.core_end;
                const float weight = alone ? 1.0f : cols.profile[j] * cols.share[x];
                const std::size_t tile = std::size_t{window - first} * rows.grid.tile + i;
                value += factor * weight * batch[tile * cols.grid.tile + j];
            }
        }
        if (known) pixel = value;
    }

    STEMZOO_ANYWHERE float row_factor(const SpanOf<std::uint32_t>& down, std::uint32_t i,
                                      std::uint32_t y) const {
        const bool alone = i >= down.core_begin && i < down.core_end;
        const double weight = alone ? 1.0 : double{rows.profile[i]} * double{rows.share[y]};
        return static_cast<float>(gain * weight);
    }
};

}  // namespace stemzoo::cuda
