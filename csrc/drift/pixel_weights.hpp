// How much each pixel of a masked frame counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {

// 0 at pixels that are not valid and near them (interpolation carries what fills a hole that far),
// and from there rising to 1.
class PixelWeights {
  public:
    // `lost` is 1 where a pixel is not valid and 0 elsewhere, row by row.
    PixelWeights(const std::uint8_t* lost, Shape shape);

    float at(std::size_t row, std::size_t col) const;
    // Whether a pixel of the row counts at all.
    bool any(std::size_t row) const { return any_[row] != 0; }
    // Multiplies values by the weights of `count` pixels of a row, from column `first` on.
    void multiply(std::size_t row, std::size_t first, std::size_t count, float* values) const;

  private:
    std::size_t cols_;
    Scratch<std::uint8_t> counts_;      // of the pixels around each, those far from a lost one
    std::vector<float> down_, across_;  // one over how many are around it
    std::vector<unsigned char> any_;
};

}  // namespace stemzoo::drift
