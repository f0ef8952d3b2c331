// Weights of the pixels of two frames where they overlap, one of them shifted.
#pragma once

#include <cstddef>

#include "core/scratch.hpp"
#include "drift/frame.hpp"

namespace stemzoo::drift {

class OverlapWeights {
  public:
    OverlapWeights(const Frame& reference, const Frame& moving);

    // For the reference shifted by (dy, dx) px.
    void move(double dy, double dx);

    // What all weights of a row are to be multiplied by.
    float of_row(std::size_t row) const { return rows_[row]; }

    // The other weights of a row; `line` is room for them, used where frames have masks. Behind
    // the last column there are zeros, which vectors may read.
    const float* along(std::size_t row, float* line) const;

  private:
    void join_masks(std::ptrdiff_t down, std::ptrdiff_t across);
    void multiply(float* out, const float* weights, std::ptrdiff_t step) const;

    const Frame& reference_;
    const Frame& moving_;
    const Shape shape_;
    Scratch<float> columns_, rows_;
    Scratch<float> masks_;  // of both frames, the reference's shifted by whole pixels
    std::ptrdiff_t row_step_ = 0, column_step_ = 0;
};

}  // namespace stemzoo::drift
