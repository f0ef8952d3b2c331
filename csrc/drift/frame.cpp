#include "drift/frame.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <variant>
#include <vector>

#include "drift/kernels.hpp"
#include "ncc/masked.hpp"
#include "ncc/transform.hpp"
#include "tiling/statistics.hpp"
#include "tiling/strided.hpp"

namespace stemzoo::drift {
namespace {

constexpr std::size_t least_side = 16;

// A pixel this near to a masked one does not count (interpolation carries what fills the hole that
// far); the weight then rises to 1 over as many pixels as the average below is wide.
constexpr std::size_t guard = 2, rise = 3;

Shape checked(Shape shape) {
    if (shape.rows >= least_side && shape.cols >= least_side) return shape;
    throw std::invalid_argument("image is " + shape.text() + " pixels; expected at least " +
                                std::to_string(least_side) + " along either axis");
}

// Joins to `none` all pixels in the square that reaches `distance` from each.
template <typename Join>
void in_squares(float* image, Shape shape, std::size_t distance, float none, Join join) {
    const Scratch<float> lines(shape.size());
    std::vector<float> padded(shape.cols + 2 * distance, none);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        std::copy_n(image + r * shape.cols, shape.cols, padded.data() + distance);
        float* const out = lines.data() + r * shape.cols;
        std::fill_n(out, shape.cols, none);
        for (std::size_t i = 0; i <= 2 * distance; ++i) {
            for (std::size_t x = 0; x < shape.cols; ++x) out[x] = join(out[x], padded[x + i]);
        }
    }
    for (std::size_t r = 0; r < shape.rows; ++r) {
        float* const out = image + r * shape.cols;
        std::fill_n(out, shape.cols, none);
        const std::size_t end = std::min(r + distance + 1, shape.rows);
        for (std::size_t i = r - std::min(r, distance); i < end; ++i) {
            const float* const line = lines.data() + i * shape.cols;
            for (std::size_t x = 0; x < shape.cols; ++x) out[x] = join(out[x], line[x]);
        }
    }
}

void least_in_squares(float* image, Shape shape, std::size_t distance) {
    in_squares(image, shape, distance, 1.0f, [](float a, float b) { return a < b ? a : b; });
}

void mean_in_squares(float* image, Shape shape, std::size_t distance) {
    in_squares(image, shape, distance, 0.0f, [](float a, float b) { return a + b; });
    const auto within = [distance](std::size_t at, std::size_t size) {
        return static_cast<float>(std::min(at + distance + 1, size) -
                                  (at - std::min(at, distance)));
    };
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            image[r * shape.cols + c] /= within(r, shape.rows) * within(c, shape.cols);
        }
    }
}

}  // namespace

Frame::Frame(const AnyView& image, const Mask* mask, unsigned threads, const PixelStatistics* known)
    : fft_(checked(shape_of(image))),
      pixels_(shape().size() + overread),
      spectrum_(fft_.layout().size),
      excess_(fft_.layout().rows * fft_.layout().pitch),
      later_(std::make_unique<Later>()) {
    std::fill_n(pixels_.data() + shape().size(), overread, 0.0f);
    load(image, mask, known);
    fft_.forward(pixels_.data(), spectrum_.data(), threads);
    measure_power();
}

void Frame::load(const AnyView& image, const Mask* mask, const PixelStatistics* known) {
    if (mask == nullptr) {
        const Statistics s = known != nullptr && known->no_outliers()
                                 ? Statistics{known->mean, known->deviation(), true}
                                 : stemzoo::measure(image, 1);
        if (!s.finite) {
            throw std::invalid_argument(
                "image has pixels that are NaN, infinite or beyond 1e150; replace them or mark "
                "them invalid with a mask");
        }
        const ncc::Scaling scaling = ncc::scaling_from(s.mean, s.std * s.std);
        const auto scaled = [=](auto pixel) {
            return static_cast<float>((static_cast<double>(pixel) - scaling.offset) *
                                      scaling.scale);
        };
        std::visit([&](const auto& v) { read_rows(v, scaled, pixels_.data(), v.shape.cols); },
                   image);
        return;
    }
    const ncc::DirectImage scaled = ncc::masked_image(image, mask, "image");
    const auto narrow = [](double x) { return static_cast<float>(x); };
    std::transform(scaled.pixels.begin(), scaled.pixels.end(), pixels_.data(), narrow);
    if (scaled.valid.empty()) return;
    masked_ = true;
    weights_ = Scratch<float>(shape().size());
    std::transform(scaled.valid.begin(), scaled.valid.end(), weights_.data(), narrow);
    least_in_squares(weights_.data(), shape(), guard + rise);
    mean_in_squares(weights_.data(), shape(), rise);
}

// Noise is measured where neither axis leaves room for a scene: beyond three quarters of the
// highest frequency along both. It is white in counts, Poisson's as well as the amplifier's.
//
// Rows that jitter add to that what is white along the columns only: as much at every frequency
// along them, and that much is measured beyond three quarters of the highest.
void Frame::measure_power() {
    const SpectrumLayout& layout = fft_.layout();
    const std::size_t rows = layout.image.rows, cols = layout.image.cols, pitch = layout.pitch;
    const Scratch<float> lines(layout.rows * pitch);
    const auto line = [&](std::size_t ky) { return lines.data() + ky * pitch; };
    double corner = 0;
    std::size_t corner_count = 0, above_count = 0;
    std::vector<float> above(cols, 0.0f);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        kernels().power(layout.real(spectrum(), ky), layout.imaginary(spectrum(), ky), cols,
                        line(ky));
        if (8 * ky <= 3 * rows) continue;
        ++above_count;
        for (std::size_t kx = 0; kx < cols; ++kx) above[kx] += line(ky)[kx];
        for (std::size_t kx = 3 * cols / 8 + 1; kx < cols - 3 * cols / 8; ++kx) {
            corner += static_cast<double>(line(ky)[kx]);
            ++corner_count;
        }
    }
    noise_ = corner / static_cast<double>(corner_count * (2 * power_reach + 1));
    if (!(noise_ > 0)) return;
    std::vector<float> scale(cols);
    const auto in_line = static_cast<double>(2 * power_reach + 1);
    for (std::size_t kx = 0; kx < cols; ++kx) {
        const double both = static_cast<double>(above[kx]) +
                            static_cast<double>(above[(cols - kx) % cols]),
                     level = both / (2 * static_cast<double>(above_count) * in_line);
        scale[kx] = static_cast<float>(1 / (std::max(noise_, level) * in_line * in_line));
    }
    // Rows beyond either end are mirror images of rows within.
    std::vector<float> mirrored(cols);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        float* const out = excess_.data() + ky * pitch;
        for (std::size_t i = 0; i <= 2 * power_reach; ++i) {
            const std::size_t full = (ky + rows + i - power_reach) % rows;
            const float* from = full < layout.rows ? line(full) : line(rows - full);
            if (full >= layout.rows) {
                mirrored[0] = from[0];
                for (std::size_t x = 1; x < cols; ++x) mirrored[x] = from[cols - x];
                from = mirrored.data();
            }
            if (i == 0) {
                std::copy_n(from, cols, out);
            } else {
                for (std::size_t x = 0; x < cols; ++x) out[x] += from[x];
            }
        }
        for (std::size_t x = 0; x < cols; ++x) out[x] = out[x] * scale[x] - 1;
        std::fill(out + cols, out + pitch, 0.0f);
    }
}

const BandPassed& Frame::band_passed(unsigned threads) const {
    later_->band_once([&] {
        Scratch<float> tapered = tapered_spectrum(*this, threads);
        later_->band = drift::band_passed(*this, tapered.data());
        const std::lock_guard<std::mutex> lock(later_->tapered_mutex);
        later_->tapered = std::move(tapered);
    });
    return later_->band;
}

Scratch<float> Frame::take_tapered() const {
    const std::lock_guard<std::mutex> lock(later_->tapered_mutex);
    return std::move(later_->tapered);
}

const Powers& Frame::powers() const {
    later_->powers_once([&] { later_->powers = measured(*this); });
    return later_->powers;
}

}  // namespace stemzoo::drift
