// The definition, evaluated lag by lag in float64: for lags that a transform cannot resolve.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "core/array.hpp"
#include "ncc/geometry.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::ncc {

// Scaled pixels as float64, and which of them count (empty: all do). Masked pixels are zero.
struct DirectImage {
    Shape shape;
    Scaling scaling;
    std::vector<double> pixels;
    std::vector<double> valid;

    const double* row(std::size_t r) const { return pixels.data() + r * shape.cols; }
    const double* valid_row(std::size_t r) const { return valid.data() + r * shape.cols; }
};

DirectImage direct_image(const AnyView& image, Scaling scaling);

// Pearson's correlation over one overlap, 0 if either side is constant there: all values within 16
// units of float64's last place of their common value.
double direct_correlation(const DirectImage& a, const Rect& ra, const DirectImage& b,
                          const Rect& rb);

// Which corner-anchored rectangles hold a single value. Every overlap is such a rectangle, and
// vacuum makes many of them constant: this tells in one step what a sum needs every pixel for.
class ConstantCorners {
  public:
    explicit ConstantCorners(const DirectImage& image);
    bool constant(const Rect& rect) const;

  private:
    Shape shape_;
    // For each corner (bottom + 2 * right): the width that `rows + 1` rows have in common.
    std::array<std::vector<std::size_t>, 4> width_;
};

}  // namespace stemzoo::ncc
