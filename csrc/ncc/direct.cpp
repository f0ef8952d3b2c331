#include "ncc/direct.hpp"

#include <algorithm>
#include <cmath>

#include "ncc/normalised.hpp"
#include "ncc/overlap.hpp"

namespace stemzoo::ncc {
namespace {

// Eight running sums: the compiler turns them into vectors, and the order never changes.
class Sum {
  public:
    void add(std::size_t part, double x) { part_[part] += x; }
    double total() const {
        return ((part_[0] + part_[1]) + (part_[2] + part_[3])) +
               ((part_[4] + part_[5]) + (part_[6] + part_[7]));
    }

  private:
    double part_[8] = {};
};

// Calls f(column, part of the sums that it belongs to).
template <typename F>
void each_column(std::size_t cols, F f) {
    const std::size_t whole = cols / 8 * 8;
    for (std::size_t i = 0; i < whole; i += 8) {
        for (std::size_t part = 0; part < 8; ++part) f(i + part, part);
    }
    for (std::size_t i = whole; i < cols; ++i) f(i, i - whole);
}

struct Weights {
    const double* a;
    const double* b;
    double operator()(std::size_t i) const { return a[i] * b[i]; }
};

struct NoWeights {
    double operator()(std::size_t) const { return 1.0; }
};

// Calls f(a row, b row, weight of column i) for each row of the overlap.
template <typename F>
void each_row(const DirectImage& a, const Rect& ra, const DirectImage& b, const Rect& rb, F f) {
    for (std::size_t r = 0; r < ra.rows(); ++r) {
        const double* pa = a.row(ra.row0 + r) + ra.col0;
        const double* pb = b.row(rb.row0 + r) + rb.col0;
        if (a.valid.empty()) {
            f(pa, pb, NoWeights{});
        } else {
            f(pa, pb,
              Weights{a.valid_row(ra.row0 + r) + ra.col0, b.valid_row(rb.row0 + r) + rb.col0});
        }
    }
}

}  // namespace

DirectImage direct_image(const AnyView& image, Scaling scaling) {
    DirectImage out{shape_of(image), scaling, {}, {}};
    out.pixels.resize(out.shape.size());
    for (std::size_t r = 0; r < out.shape.rows; ++r) {
        read_row(image, scaling, r, out.pixels.data() + r * out.shape.cols);
    }
    return out;
}

double direct_correlation(const DirectImage& a, const Rect& ra, const DirectImage& b,
                          const Rect& rb) {
    const std::size_t cols = ra.cols();
    Sum n, sum_a, sum_b;
    each_row(a, ra, b, rb, [&](const double* pa, const double* pb, auto weight) {
        each_column(cols, [&](std::size_t i, std::size_t part) {
            const double w = weight(i);
            n.add(part, w);
            sum_a.add(part, w * pa[i]);
            sum_b.add(part, w * pb[i]);
        });
    });
    const double count = n.total();
    if (count < 2) return 0;
    const double mean_a = sum_a.total() / count, mean_b = sum_b.total() / count;
    Sum aa, bb, ab;
    each_row(a, ra, b, rb, [&](const double* pa, const double* pb, auto weight) {
        each_column(cols, [&](std::size_t i, std::size_t part) {
            const double w = weight(i);
            const double x = pa[i] - mean_a, y = pb[i] - mean_b;
            aa.add(part, w * x * x);
            bb.add(part, w * y * y);
            ab.add(part, w * x * y);
        });
    });
    const auto offset = [](const DirectImage& x) { return x.scaling.offset * x.scaling.scale; };
    if (is_rounding(aa.total(), count, mean_a, offset(a))) return 0;
    if (is_rounding(bb.total(), count, mean_b, offset(b))) return 0;
    // Two roots, since the product of two small sums may underflow.
    const double r = ab.total() / (std::sqrt(aa.total()) * std::sqrt(bb.total()));
    return std::clamp(r, -1.0, 1.0);
}

ConstantCorners::ConstantCorners(const DirectImage& image) : shape_(image.shape) {
    for (std::size_t corner = 0; corner < 4; ++corner) {
        const bool bottom = corner % 2 != 0, right = corner / 2 != 0;
        const auto pixel = [&](std::size_t r, std::size_t c) {
            return image.row(bottom ? shape_.rows - 1 - r : r)[right ? shape_.cols - 1 - c : c];
        };
        const double value = pixel(0, 0);
        std::size_t width = shape_.cols;
        for (std::size_t r = 0; r < shape_.rows && width > 0; ++r) {
            std::size_t same = 0;
            while (same < width && pixel(r, same) == value) ++same;
            width = same;
            width_[corner].push_back(width);
        }
    }
}

bool ConstantCorners::constant(const Rect& rect) const {
    const std::size_t bottom = rect.row0 > 0 ? 1 : 0, right = rect.col0 > 0 ? 2 : 0;
    const auto& width = width_[bottom + right];
    return rect.rows() <= width.size() && rect.cols() <= width[rect.rows() - 1];
}

}  // namespace stemzoo::ncc
