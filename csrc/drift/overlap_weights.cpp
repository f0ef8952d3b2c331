#include "drift/overlap_weights.hpp"

#include <algorithm>
#include <cmath>

#include "drift/kernels.hpp"

namespace stemzoo::drift {
namespace {

void fill_taper(double shift, std::size_t n, float* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = taper_weight(shift, n, i);
}

}  // namespace

OverlapWeights::OverlapWeights(const Frame& reference, const Frame& moving)
    : reference_(reference),
      moving_(moving),
      shape_(moving.shape()),
      columns_(shape_.cols + overread),
      rows_(shape_.rows) {}

void OverlapWeights::move(double dy, double dx) {
    fill_taper(dy, shape_.rows, rows_.data());
    fill_taper(dx, shape_.cols, columns_.data());
    std::fill_n(columns_.data() + shape_.cols, overread, 0.0f);
    if (reference_.weights() == nullptr && moving_.weights() == nullptr) return;
    join_masks(std::lround(dy), std::lround(dx));
}

const float* OverlapWeights::along(std::size_t row, float* line) const {
    if (masks_.data() == nullptr) return columns_.data();
    const float* const mask = masks_.data() + row * shape_.cols;
    for (std::size_t x = 0; x < shape_.cols; ++x) line[x] = columns_[x] * mask[x];
    return line;
}

void OverlapWeights::join_masks(std::ptrdiff_t down, std::ptrdiff_t across) {
    const bool known = masks_.data() != nullptr;
    if (known && down == row_step_ && across == column_step_) return;
    row_step_ = down;
    column_step_ = across;
    if (!known) masks_ = Scratch<float>(shape_.size());
    const std::size_t cols = shape_.cols;
    for (std::size_t r = 0; r < shape_.rows; ++r) {
        float* const out = masks_.data() + r * cols;
        if (moving_.weights() != nullptr) {
            std::copy_n(moving_.weights() + r * cols, cols, out);
        } else {
            std::fill_n(out, cols, 1.0f);
        }
        if (reference_.weights() == nullptr) continue;
        const auto from = static_cast<std::size_t>(
            std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(r) - down, 0,
                                       static_cast<std::ptrdiff_t>(shape_.rows) - 1));
        multiply(out, reference_.weights() + from * cols, across);
    }
}

void OverlapWeights::multiply(float* out, const float* weights, std::ptrdiff_t step) const {
    const auto cols = static_cast<std::ptrdiff_t>(shape_.cols);
    const std::ptrdiff_t last = std::min(cols, cols + step);
    for (std::ptrdiff_t x = std::max<std::ptrdiff_t>(0, step); x < last; ++x) {
        out[x] *= weights[x - step];
    }
}

}  // namespace stemzoo::drift
