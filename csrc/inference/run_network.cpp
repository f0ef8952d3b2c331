#include "inference/run_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "inference/canvas.hpp"

namespace stemzoo::inference {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();

std::string rounded(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g", value);
    return text.data();
}

double largest_of(const AnyView& image) {
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
    return largest;
}

[[noreturn]] void refuse_range(double largest) {
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

class HostCanvas final : public Canvas {
  public:
    HostCanvas(const AnyView& image, const Tiling& tiling, const View<float>& out,
               const Options& options)
        : image_(image), tiling_(tiling), out_(out), threads_(options.threads) {
        if (options.mask) {
            filled_ = fill_masked(image, *options.mask);
            image_ = contiguous<const double>(filled_.data(), shape_of(image));
        }
    }

    Statistics measure() override { return stemzoo::measure(image_, threads_); }
    double largest() override { return largest_of(image_); }
    bool finite() override { return all_finite(out_); }
    bool whole_batches() const override { return false; }

    Batch new_batch(std::size_t count) override {
        const Shape tile = tiling_.tile();
        const auto memory = std::make_shared<Scratch<float>>(count * tile.size());
        return {std::shared_ptr<float>(memory, memory->data()), count, tile};
    }
    void split(const Normalised& by, std::size_t first, std::size_t count, float* batch) override {
        const double scale = by.std > 0 ? 1 / by.std : 0.0;
        tiling_.split(image_, by.mean, scale, first, count, batch, threads_, by.limits);
    }
    // The weights of all tiles sum to one at every pixel, so starting from the mean and adding
    // std * tile undoes the normalisation; a constant image comes back exactly.
    void blend(const Normalised& by, std::size_t first, std::size_t count,
               const float* answers) override {
        tiling_.blend_from(static_cast<float>(by.mean), answers, first, count, by.std, out_,
                           threads_);
    }

  private:
    AnyView image_;
    Tiling tiling_;
    View<float> out_;
    unsigned threads_;
    Scratch<double> filled_;  // where there is a mask: what stands in for the image
};

Normalised normalisation_of(Canvas& canvas, std::size_t pixels,
                            const std::optional<Normalisation>& given) {
    if (pixels == 1) {
        throw std::invalid_argument(
            "image has one pixel, which has no contrast; expected at least two");
    }
    const Statistics measured = canvas.measure();
    if (!measured.finite) {
        throw std::invalid_argument(
            "image holds NaN or infinity, or numbers whose squares do not fit float64; replace "
            "those pixels, or mask them");
    }
    Normalised used{measured.mean, measured.std, measured.limits};
    if (given) {
        used.mean = given->mean;
        used.std = given->std;
    }
    if (!(std::abs(used.mean) <= kLargest && used.std <= kLargest)) refuse_range(canvas.largest());
    return used;
}

}  // namespace

NetworkRun::NetworkRun(const AnyView& image, const Tiling& tiling, const View<float>& out,
                       const Options& options)
    : NetworkRun(std::make_unique<HostCanvas>(image, tiling, out, options), tiling,
                 options.normalisation) {}

NetworkRun::NetworkRun(std::unique_ptr<Canvas> canvas, const Tiling& tiling,
                       const std::optional<Normalisation>& normalisation)
    : canvas_(std::move(canvas)),
      total_(tiling.windows()),
      by_(normalisation_of(*canvas_, tiling.image().size(), normalisation)) {
    const std::size_t fitting = std::max<std::size_t>(1, kBatchPixels / tiling.tile().size());
    at_once_ = std::min(total_, fitting);
    batch_ = canvas_->new_batch(at_once_);
}

NetworkRun::~NetworkRun() = default;

const Batch* NetworkRun::next() {
    if (done_ == total_) return nullptr;
    count_ = std::min(at_once_, total_ - done_);
    batch_.count = canvas_->whole_batches() ? at_once_ : count_;
    canvas_->split(by_, done_, count_, batch_.pixels.get());
    return &batch_;
}

void NetworkRun::take(const float* answers) {
    canvas_->blend(by_, done_, count_, answers);
    done_ += count_;
}

const Normalised& NetworkRun::finish() const {
    if (!canvas_->finite()) refuse_range(canvas_->largest());
    return by_;
}

Normalised run(NetworkRun& image, const Network& network, const Progress& progress) {
    while (const Batch* batch = image.next()) {
        image.take(network(*batch));
        if (progress && !progress(image.done(), image.total())) throw Cancelled();
    }
    return image.finish();
}

Normalised run_network(const AnyView& image, const Tiling& tiling, const Network& network,
                       const View<float>& out, const Options& options) {
    NetworkRun one(image, tiling, out, options);
    return run(one, network, options.progress);
}

}  // namespace stemzoo::inference
