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

// The weights of all tiles sum to one at every pixel, so starting from the mean and adding
// std * tile undoes the normalisation; a constant image comes back exactly.
void run_batches(const AnyView& image, const Tiling& tiling, const Network& network,
                 const Normalised& by, const View<float>& out, const Options& options) {
    const double scale = by.std > 0 ? 1 / by.std : 0.0;
    const auto fill = static_cast<float>(by.mean);
    Batch batch = new_batch(tiling);
    const std::size_t at_once = batch.count, total = tiling.windows();
    for (std::size_t first = 0; first < total; first += at_once) {
        batch.count = std::min(at_once, total - first);
        tiling.split(image, by.mean, scale, first, batch.count, batch.pixels.get(), options.threads,
                     by.limits);
        const float* answers = network(batch);
        tiling.blend_from(fill, answers, first, batch.count, by.std, out, options.threads);
        if (options.progress && !options.progress(first + batch.count, total)) throw Cancelled();
    }
}

Normalised run_filled(const AnyView& image, const Tiling& tiling, const Network& network,
                      const View<float>& out, const Options& options) {
    const Normalised by = normalisation_of(image, options);
    run_batches(image, tiling, network, by, out, options);
    if (!all_finite(out)) refuse_range(image);
    return by;
}

}  // namespace

Normalised run_network(const AnyView& image, const Tiling& tiling, const Network& network,
                       const View<float>& out, const Options& options) {
    if (!options.mask) return run_filled(image, tiling, network, out, options);
    const Scratch<double> filled = fill_masked(image, *options.mask);
    const View<const double> view = contiguous<const double>(filled.data(), shape_of(image));
    return run_filled(view, tiling, network, out, options);
}

}  // namespace stemzoo::inference
