#include "inference/run_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>

namespace stemzoo::inference {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

std::string rounded(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", value);
    return text.data();
}

[[noreturn]] void refuse_range(const AnyView& image) {
    double largest = 0;
    std::visit(
        [&](const auto& view) {
            for (std::size_t row = 0; row < view.shape.rows; ++row) {
                for (std::size_t col = 0; col < view.shape.cols; ++col) {
                    largest = std::max(largest, std::abs(static_cast<double>(view.at(row, col))));
                }
            }
        },
        image);
    throw std::invalid_argument("image reaches " + rounded(largest) +
                                ", and results are float32, which ends at " + rounded(kLargest) +
                                "; give it in a larger unit");
}

// Counted, since compilers vectorise that.
template <typename Stride>
std::size_t not_finite(const float* pixels, Stride stride, std::size_t count) {
    std::uint32_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float pixel = pixels[static_cast<std::ptrdiff_t>(i) * stride];
        found += std::abs(pixel) <= std::numeric_limits<float>::max() ? 0U : 1U;
    }
    return found;
}

bool all_finite(const View<float>& image) {
    using Unit = std::integral_constant<std::ptrdiff_t, 1>;
    std::size_t found = 0;
    for (std::size_t row = 0; row < image.shape.rows && found == 0; ++row) {
        const float* pixels = image.row(row);
        found += image.col_stride == 1 ? not_finite(pixels, Unit{}, image.shape.cols)
                                       : not_finite(pixels, image.col_stride, image.shape.cols);
    }
    return found == 0;
}

Normalised normalisation_of(const AnyView& image, const Options& options) {
    if (shape_of(image).size() == 1) {
        throw std::invalid_argument(
            "image has one pixel, which has no contrast; expected at least two");
    }
    const Statistics measured = measure(image, options.threads);
    if (!measured.finite) {
        throw std::invalid_argument(
            "image holds NaN or infinity, or numbers whose squares do not fit float64; replace "
            "those pixels, or mask them");
    }
    Normalised used{measured.mean, measured.std, measured.limits};
    if (options.normalisation) {
        used.mean = options.normalisation->mean;
        used.std = options.normalisation->std;
    }
    if (!(std::abs(used.mean) <= kLargest && used.std <= kLargest)) refuse_range(image);
    return used;
}

Batch new_batch(const Tiling& tiling) {
    const Shape tile = tiling.tile();
    const std::size_t at_once = std::max<std::size_t>(1, kBatchPixels / tile.size());
    const std::size_t count = std::min(tiling.windows(), at_once);
    const auto memory = std::make_shared<Scratch<float>>(count * tile.size());
    return {std::shared_ptr<float>(memory, memory->data()), count, tile};
}

}  // namespace

NetworkRun::NetworkRun(const AnyView& image, const Tiling& tiling, const View<float>& out,
                       const Options& options)
    : image_(image), tiling_(tiling), out_(out), threads_(options.threads) {
    if (options.mask) {
        filled_ = fill_masked(image, *options.mask);
        image_ = contiguous<const double>(filled_.data(), shape_of(image));
    }
    by_ = normalisation_of(image_, options);
    batch_ = new_batch(tiling_);
    at_once_ = batch_.count;
}

const Batch* NetworkRun::next() {
    if (done_ == total()) return nullptr;
    batch_.count = std::min(at_once_, total() - done_);
    const double scale = by_.std > 0 ? 1 / by_.std : 0.0;
    tiling_.split(image_, by_.mean, scale, done_, batch_.count, batch_.pixels.get(), threads_,
                  by_.limits);
    return &batch_;
}

// The weights of all tiles sum to one at every pixel, so starting from the mean and adding
// std * tile undoes the normalisation; a constant image comes back exactly.
void NetworkRun::take(const float* answers) {
    tiling_.blend_from(static_cast<float>(by_.mean), answers, done_, batch_.count, by_.std, out_,
                       threads_);
    done_ += batch_.count;
}

const Normalised& NetworkRun::finish() const {
    if (!all_finite(out_)) refuse_range(image_);
    return by_;
}

Normalised run_network(const AnyView& image, const Tiling& tiling, const Network& network,
                       const View<float>& out, const Options& options) {
    NetworkRun run(image, tiling, out, options);
    while (const Batch* batch = run.next()) {
        run.take(network(*batch));
        if (options.progress && !options.progress(run.done(), run.total())) throw Cancelled();
    }
    return run.finish();
}

}  // namespace stemzoo::inference
