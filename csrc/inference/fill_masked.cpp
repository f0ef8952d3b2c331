#include "inference/fill_masked.hpp"

#include <stdexcept>

namespace stemzoo::inference {
namespace {

struct Known {
    double sum = 0;
    std::size_t count = 0;

    double mean() const { return count > 0 ? sum / static_cast<double>(count) : 0.0; }
};

template <typename T>
Known copy_row(const View<const T>& image, const Mask& mask, std::size_t row, double* out) {
    Known known;
    for (std::size_t col = 0; col < image.shape.cols; ++col) {
        out[col] = static_cast<double>(image.at(row, col));
        if (mask.at(row, col) != 0) continue;
        known.sum += out[col];
        ++known.count;
    }
    return known;
}

// Sums row by row round less than one running sum over the whole image.
template <typename T>
double copy_pixels(const View<const T>& image, const Mask& mask, double* out) {
    Known known;
    for (std::size_t row = 0; row < image.shape.rows; ++row) {
        const Known more = copy_row(image, mask, row, out + row * image.shape.cols);
        known.sum += more.sum;
        known.count += more.count;
    }
    return known.mean();
}

}  // namespace

Scratch<double> fill_masked(const AnyView& image, const Mask& mask) {
    const Shape shape = shape_of(image);
    if (mask.shape != shape) {
        throw std::invalid_argument("mask is " + mask.shape.text() + " and image " + shape.text() +
                                    "; expected equal shapes");
    }
    Scratch<double> filled(shape.size());
    const double mean =
        std::visit([&](const auto& view) { return copy_pixels(view, mask, filled.data()); }, image);
    for (std::size_t row = 0; row < shape.rows; ++row) {
        for (std::size_t col = 0; col < shape.cols; ++col) {
            if (mask.at(row, col) != 0) filled[row * shape.cols + col] = mean;
        }
    }
    return filled;
}

}  // namespace stemzoo::inference
