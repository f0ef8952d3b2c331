#include "ncc/masked.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/parallel.hpp"
#include "ncc/transform.hpp"

namespace stemzoo::ncc {
namespace {

std::vector<double> squared(const std::vector<double>& x) {
    std::vector<double> out(x.size());
    std::transform(x.begin(), x.end(), out.begin(), [](double v) { return v * v; });
    return out;
}

double norm(const std::vector<double>& x) {
    return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

}  // namespace

MaskedNorms masked_norms(const DirectImage& image) {
    return {norm(image.pixels), norm(squared(image.pixels)), norm(image.valid)};
}

DirectImage masked_image(const AnyView& image, const Mask* mask, const char* what) {
    const Shape shape = shape_of(image);
    if (mask != nullptr && mask->shape != shape) {
        throw std::invalid_argument(std::string(what) + " is " + shape.text() +
                                    " pixels but its mask is " + mask->shape.text() +
                                    "; expected equal shapes");
    }
    DirectImage out = direct_image(image, Scaling{});
    out.valid.assign(shape.size(), 1.0);
    double count = 0, sum = 0;
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const std::size_t i = r * shape.cols + c;
            if (mask != nullptr && mask->at(r, c) == 0) {
                out.valid[i] = out.pixels[i] = 0;
                continue;
            }
            if (!(std::abs(out.pixels[i]) < 1e150)) {
                throw std::invalid_argument(
                    std::string(what) + " has a pixel that is NaN, infinite or beyond 1e150 at (" +
                    std::to_string(r) + ", " + std::to_string(c) +
                    "), which its mask calls valid; mark it invalid");
            }
            count += 1;
            sum += out.pixels[i];
        }
    }
    const double mean = count > 0 ? sum / count : 0;
    double square_sum = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        out.pixels[i] = (out.pixels[i] - mean) * out.valid[i];
        square_sum += out.pixels[i] * out.pixels[i];
    }
    out.scaling = scaling_from(mean, count > 0 ? square_sum / count : 0);
    for (double& x : out.pixels) x *= out.scaling.scale;
    return out;
}

Masked::Masked(const Geometry& geometry, DirectImage reference, unsigned threads)
    : geometry_(geometry),
      reference_(std::move(reference)),
      spectral_(spectral_for<double>(geometry)) {
    const auto spectrum = [&](const std::vector<double>& x) {
        const View<const double> view = contiguous<const double>(x.data(), geometry.image);
        return spectrum_of(*spectral_, half_transform(*spectral_, AnyView(view), {}, threads),
                           threads);
    };
    valid_ = spectrum(reference_.valid);
    pixels_ = spectrum(reference_.pixels);
    squares_ = spectrum(squared(reference_.pixels));
}

void Masked::correlate(const DirectImage& moving, double min_pixels, float* surface,
                       unsigned threads) const {
    const Geometry& g = geometry_;
    const Shape shape = g.surface();
    const auto half = [&](const std::vector<double>& x) {
        const View<const double> view = contiguous<const double>(x.data(), g.image);
        return half_transform(*spectral_, AnyView(view), {}, threads);
    };
    const auto sums = [&](const Scratch<double>& a, const Half<double>& b) {
        return raw_correlation(*spectral_, a, b, shape, threads);
    };
    const auto valid = half(moving.valid), pixels = half(moving.pixels);
    const auto squares = half(squared(moving.pixels));
    const auto n = sums(valid_, valid), a = sums(pixels_, valid), aa = sums(squares_, valid);
    const auto b = sums(valid_, pixels), bb = sums(valid_, squares), ab = sums(pixels_, pixels);
    const MaskedErrors errors(masked_norms(reference_), masked_norms(moving));

    parallel_for(shape.rows, threads, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin * shape.cols; i < end * shape.cols; ++i) {
            const LagSums lag{std::round(n[i]), a[i], b[i], aa[i], bb[i], ab[i]};
            const bool evidence = lag.n >= std::max(min_pixels, 2.0);
            double r = evidence ? lag.correlation(errors) : 0.0;
            if (std::isnan(r)) {
                const std::size_t row = i / shape.cols, col = i % shape.cols;
                r = direct_correlation(reference_, g.overlap(row, col), moving,
                                       g.moving_overlap(row, col));
            }
            surface[i] = static_cast<float>(r);
        }
    });
}

}  // namespace stemzoo::ncc
