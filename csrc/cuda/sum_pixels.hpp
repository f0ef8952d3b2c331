// A sum over the pixels of each frame, in float64 and always in the same order: blocks of threads
// sum some rows each, and the host or one thread sums what they write.
#pragma once

#include <algorithm>

#include "cuda/frames.hpp"
#include "cuda/sum_terms.hpp"

namespace stemzoo::cuda {

// How many blocks share the rows of a frame: enough work for each, and enough of them.
inline unsigned blocks_of_rows(Shape frame) {
    constexpr std::size_t pixels_each = std::size_t{1} << 14, most = 1024;
    const std::size_t blocks = std::clamp<std::size_t>(frame.size() / pixels_each, 1, most);
    return static_cast<unsigned>(std::min(blocks, frame.rows));
}

// `PixelSum` has add(double pixel) and join(PixelSum). Some rows of frame y for each block (x, y);
// every sum begins as `none`.
template <typename PixelSum>
struct PixelTerms {
    using Sum = PixelSum;
    static constexpr unsigned threads = 256;

    Frames frames;
    Sum none;

    STEMZOO_ANYWHERE Sum operator()(Index block, Index blocks, unsigned thread) const {
        Sum sum = none;
        const std::size_t end = frames.shape.rows * (block.x + 1) / blocks.x;
        for (std::size_t row = frames.shape.rows * block.x / blocks.x; row < end; ++row) {
            for (std::size_t col = thread; col < frames.shape.cols; col += threads) {
                sum.add(frames.at(block.y, row, col));
            }
        }
        return sum;
    }
};

}  // namespace stemzoo::cuda
