#include "drift/features.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "drift/lags.hpp"
#include "ncc/geometry.hpp"

namespace stemzoo::drift {
namespace {

// At least map + reach: no lag wraps into another.
Shape padded(Shape shape, Shape reach) {
    const ncc::Geometry g = ncc::make_geometry(shape, reach.rows, reach.cols);
    return {g.fft_rows, g.fft_cols};
}

}  // namespace

Features::Features(const float* maps, std::size_t count, Shape shape, Shape reach, unsigned threads)
    : count_(count),
      shape_(shape),
      reach_{std::min(reach.rows, shape.rows - 1), std::min(reach.cols, shape.cols - 1)},
      fft_(padded(shape_, reach_)),
      spectra_(count * fft_.layout().size) {
    if (count != 1 && (count == 0 || count % 2 != 0)) {
        throw std::invalid_argument("there are " + std::to_string(count) +
                                    " features; expected one, or an even number of them");
    }
    const Shape whole = fft_.layout().image;
    const Scratch<float> image(whole.size());
    for (std::size_t k = 0; k < count; ++k) {
        std::fill_n(image.data(), whole.size(), 0.0f);
        for (std::size_t r = 0; r < shape.rows; ++r) {
            std::copy_n(maps + (k * shape.rows + r) * shape.cols, shape.cols,
                        image.data() + r * whole.cols);
        }
        fft_.forward(image.data(), spectra_.data() + k * fft_.layout().size, threads);
    }
}

void Features::log_odds(const Features& moving, float* surface, unsigned threads) const {
    if (moving.count_ != count_ || moving.shape_ != shape_ || moving.reach_ != reach_) {
        throw std::invalid_argument("features of frames that differ in size, number or reach");
    }
    const SpectrumLayout& layout = fft_.layout();
    const Scratch<float> sum(layout.size), image(layout.image.size());
    std::fill_n(sum.data(), layout.size, 0.0f);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        for (std::size_t k = 0; k < count_; ++k) {
            add_product(layout, spectra_.data() + k * layout.size,
                        moving.spectra_.data() + k * layout.size, ky, 2 * k < count_ ? 1.0f : -1.0f,
                        sum.data());
        }
    }
    fft_.backward(sum.data(), image.data(), threads);
    cut_lags(image.data(), layout.image, reach_, surface);
}

}  // namespace stemzoo::drift
