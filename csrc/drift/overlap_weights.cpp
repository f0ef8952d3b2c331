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
      pitch_(shape_.cols + overread),
      masked_(reference.weights() != nullptr || moving.weights() != nullptr),
      columns_(pitch_),
      rows_(shape_.rows) {}

void OverlapWeights::move(double dy, double dx) {
    fill_taper(dy, shape_.rows, rows_.data());
    fill_taper(dx, shape_.cols, columns_.data());
    std::fill_n(columns_.data() + shape_.cols, overread, 0.0f);
    if (masked_) weigh_pixels(std::lround(dy), std::lround(dx));
}

void OverlapWeights::weigh_pixels(std::ptrdiff_t down, std::ptrdiff_t across) {
    if (pixels_.data() == nullptr) pixels_ = Scratch<float>(shape_.rows * pitch_);
    const auto rows = static_cast<std::ptrdiff_t>(shape_.rows),
               cols = static_cast<std::ptrdiff_t>(shape_.cols);
    const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, across),
                         last = std::min(cols, cols + across);
    const PixelWeights *const moved = moving_.weights(), *const still = reference_.weights();
    for (std::ptrdiff_t r = 0; r < rows; ++r) {
        const auto row = static_cast<std::size_t>(r),
                   from =
                       static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(r - down, 0, rows - 1));
        if ((moved != nullptr && !moved->any(row)) || (still != nullptr && !still->any(from))) {
            rows_[row] = 0;
            continue;
        }
        float* const out = pixels_.data() + row * pitch_;
        std::copy_n(columns_.data(), pitch_, out);
        if (moved != nullptr) moved->multiply(row, 0, shape_.cols, out);
        if (still != nullptr && first < last) {
            still->multiply(from, static_cast<std::size_t>(first - across),
                            static_cast<std::size_t>(last - first), out + first);
        }
    }
}

}  // namespace stemzoo::drift
