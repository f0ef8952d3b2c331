#include "drift/frame.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <variant>
#include <vector>

#include "core/parallel.hpp"
#include "drift/kernels.hpp"
#include "drift/pixel_kernels.hpp"
#include "ncc/masked.hpp"
#include "ncc/overlap.hpp"
#include "ncc/transform.hpp"
#include "spectrum/whiteness.hpp"
#include "tiling/statistics.hpp"
#include "tiling/strided.hpp"

namespace stemzoo::drift {
namespace {

constexpr std::size_t least_side = 16;

Shape checked(Shape shape) {
    if (shape.rows >= least_side && shape.cols >= least_side) return shape;
    throw std::invalid_argument("image is " + shape.text() + " pixels; expected at least " +
                                std::to_string(least_side) + " along either axis");
}

// In eight sums, which a compiler keeps in vectors.
template <typename Term>
double sum_of(std::size_t count, const Term& term) {
    constexpr std::size_t lanes = 8;
    double sums[lanes] = {}, total = 0;
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (std::size_t k = 0; k < lanes; ++k) sums[k] += term(i + k);
    }
    for (; i < count; ++i) total += term(i);
    for (const double sum : sums) total += sum;
    return total;
}

ncc::Scaling finite_scaling(const Statistics& s) {
    if (!s.finite) {
        throw std::invalid_argument(
            "image has pixels that are NaN, infinite or beyond 1e150; replace them or mark them "
            "invalid with a mask");
    }
    return ncc::scaling_from(s.mean, s.std * s.std);
}

}  // namespace

ncc::Scaling frame_scaling(const CleanFrame& clean) {
    const PixelStatistics& known = clean.statistics;
    return finite_scaling(known.no_outliers() ? Statistics{known.mean, known.deviation(), true}
                                              : stemzoo::measure(clean.view(), 1));
}

Frame::Frame(Shape whole)
    : fft_(checked(whole)),
      pixels_(shape().size() + overread),
      spectrum_(fft_.layout().size),
      excess_(fft_.layout().rows * fft_.layout().pitch),
      later_(std::make_unique<Later>()) {
    std::fill_n(pixels_.data() + shape().size(), overread, 0.0f);
}

Frame::Frame(const AnyView& image, const Mask* mask, unsigned threads) : Frame(shape_of(image)) {
    if (mask == nullptr) {
        load(image, finite_scaling(stemzoo::measure(image, 1)));
    } else {
        load_masked(image, *mask);
    }
    transform(threads);
}

Frame::Frame(const CleanFrame& clean, unsigned threads) : Frame(clean.shape) {
    if (clean.invalid.empty()) {
        load(clean.view(), frame_scaling(clean));
    } else {
        load_masked(clean);
    }
    // Whoever compares frames needs both transforms.
    with_work_ahead(
        worthwhile_threads(shape().size(), pixels_a_thread, threads), [&] { transform(threads); },
        [&] { taper(threads); });
}

void Frame::transform(unsigned threads) {
    fft_.forward(pixels_.data(), spectrum_.data(), threads);
    measure_power();
}

void Frame::load(const AnyView& image, const ncc::Scaling& scaling) {
    const auto scaled = [=](auto pixel) {
        return static_cast<float>((static_cast<double>(pixel) - scaling.offset) * scaling.scale);
    };
    std::visit([&](const auto& v) { read_rows(v, scaled, pixels_.data(), v.shape.cols); }, image);
}

// Whose pixels are finite, and whose mean is near zero.
void Frame::load_masked(const CleanFrame& clean) {
    const std::size_t rows = shape().rows, cols = shape().cols;
    const std::uint8_t* const lost = clean.invalid.data();
    double sum = 0, square = 0, count = 0;
    for (std::size_t r = 0; r < rows; ++r) {
        const RowSums found = pixel_kernels().sums(clean.view().row(r), lost + r * cols, cols);
        sum += static_cast<double>(found.sum);
        square += static_cast<double>(found.square);
        count += static_cast<double>(found.count);
    }
    const double mean = count > 0 ? sum / count : 0,
                 variance = count > 0 ? square / count - mean * mean : 0;
    const auto scale = static_cast<float>(ncc::scaling_from(mean, variance).scale);
    for (std::size_t r = 0; r < rows; ++r) {
        pixel_kernels().centre(clean.view().row(r), lost + r * cols, cols, static_cast<float>(mean),
                               scale, pixels_.data() + r * cols);
    }
    weights_.emplace(lost, shape());
}

// Masked pixels are never used: they may be anything.
void Frame::load_masked(const AnyView& image, const Mask& mask) {
    const std::size_t rows = shape().rows, cols = shape().cols;
    const auto complain = [&] { (void)ncc::masked_image(image, &mask, "image"); };  // throws
    if (mask.shape != shape()) complain();
    const Scratch<double> line(cols);
    const Scratch<std::uint8_t> lost(shape().size());
    const auto is_lost = [](std::uint8_t valid) { return static_cast<std::uint8_t>(valid == 0); };
    read_rows(mask, is_lost, lost.data(), cols);
    // Calls f(row, its pixels), where masked pixels are `mean`, and adds up what it returns.
    const auto each_row = [&](double mean, const auto& f) {
        double total = 0;
        double* const pixels = line.data();
        for (std::size_t r = 0; r < rows; ++r) {
            ncc::read_row(image, {}, r, pixels);
            const std::uint8_t* const unknown = lost.data() + r * cols;
            for (std::size_t c = 0; c < cols; ++c) pixels[c] = unknown[c] != 0 ? mean : pixels[c];
            total += f(r, pixels);
        }
        return total;
    };
    const double sum = each_row(0, [cols](std::size_t, const double* pixels) {
        return sum_of(cols, [pixels](std::size_t c) { return pixels[c]; });
    });
    const auto count =
        static_cast<double>(std::count(lost.data(), lost.data() + shape().size(), std::uint8_t{0}));
    const double mean = count > 0 ? sum / count : 0;
    const double square = each_row(mean, [cols, mean](std::size_t, const double* pixels) {
        return sum_of(cols, [=](std::size_t c) { return (pixels[c] - mean) * (pixels[c] - mean); });
    });
    if (!std::isfinite(square)) complain();
    const double scale = ncc::scaling_from(mean, count > 0 ? square / count : 0).scale;
    each_row(mean, [&](std::size_t r, const double* pixels) {
        float* const out = pixels_.data() + r * cols;
        for (std::size_t c = 0; c < cols; ++c) {
            out[c] = static_cast<float>((pixels[c] - mean) * scale);
        }
        return 0.0;
    });
    weights_.emplace(lost.data(), shape());
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
    const auto sum_mirrored = [&](std::size_t ky, float* out) {
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
    };
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        float* const out = excess_.data() + ky * pitch;
        if (ky >= power_reach && ky + power_reach < layout.rows) {
            const float ones[2 * power_reach + 1] = {1, 1, 1, 1, 1, 1, 1};
            kernels().weighted_sum(line(ky - power_reach), pitch, ones, 2 * power_reach + 1, cols,
                                   out);
        } else {
            sum_mirrored(ky, out);
        }
        for (std::size_t x = 0; x < cols; ++x) out[x] = out[x] * scale[x] - 1;
        std::fill(out + cols, out + pitch, 0.0f);
    }
}

void Frame::taper(unsigned threads) const {
    later_->tapered_once([&] {
        later_->tapered = tapered_spectrum(*this, threads);
        later_->coloured = spectrum::contrast(fft_.layout(), later_->tapered.data()).coloured();
    });
}

const BandPassed& Frame::band_passed(unsigned threads) const {
    later_->band_once([&] {
        taper(threads);
        later_->band = drift::band_passed(*this, later_->tapered.data());
        const std::lock_guard<std::mutex> lock(later_->left_mutex);
        later_->left = std::move(later_->tapered);
    });
    return later_->band;
}

bool Frame::coloured(unsigned threads) const {
    taper(threads);
    return later_->coloured;
}

Scratch<float> Frame::take_tapered() const {
    const std::lock_guard<std::mutex> lock(later_->left_mutex);
    return std::move(later_->left);
}

const Powers& Frame::powers() const {
    later_->powers_once([&] { later_->powers = measured(*this); });
    return later_->powers;
}

}  // namespace stemzoo::drift
