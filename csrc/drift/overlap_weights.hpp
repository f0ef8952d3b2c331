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

    // What all weights of a row are to be multiplied by; 0 where none of its pixels counts, and
    // then it has no other weights.
    float of_row(std::size_t row) const { return rows_[row]; }

    // The other weights of a row. Behind the last column there are zeros, which vectors may read.
    const float* along(std::size_t row) const {
        return masked_ ? pixels_.data() + row * pitch_ : columns_.data();
    }

  private:
    void weigh_pixels(std::ptrdiff_t down, std::ptrdiff_t across);

    const Frame& reference_;
    const Frame& moving_;
    const Shape shape_;
    const std::size_t pitch_;
    const bool masked_;
    Scratch<float> columns_, rows_;
    Scratch<float> pixels_;  // by columns and both masks, the reference's shifted by whole pixels
};

}  // namespace stemzoo::drift
