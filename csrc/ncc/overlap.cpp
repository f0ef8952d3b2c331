#include "ncc/overlap.hpp"

#include <numeric>

namespace stemzoo::ncc {
namespace {

// An overlap is the image less some rows at its top or bottom and some columns at its left or
// right. So no summed-area tables: walk outside in, taking rows away from the column sums, and take
// columns away by running along what is left. Float64 leaves about 1e-15 of the image's energy as
// error; lags with less variance than that calls for are recomputed directly (see plain.cpp).
class Walk {
  public:
    Walk(const AnyView& image, Scaling scaling, const ColumnSums& columns, const Geometry& g,
         OverlapSums& out)
        : image_(image),
          scaling_(scaling),
          g_(g),
          out_(out),
          column_sum_(columns.sum),
          column_square_(columns.square_sum),
          row_(g.image.cols) {
        total_ = std::accumulate(column_sum_.begin(), column_sum_.end(), 0.0);
        total_square_ = std::accumulate(column_square_.begin(), column_square_.end(), 0.0);
        out_.energy = total_square_;
    }

    void remove_row(std::size_t r) {
        read_row(image_, scaling_, r, row_.data());
        double sum[4] = {}, square[4] = {};
        const std::size_t cols = g_.image.cols;
        for (std::size_t c = 0; c < cols; ++c) {
            const double x = row_[c], x2 = x * x;
            column_sum_[c] -= x;
            column_square_[c] -= x2;
            sum[c % 4] += x;
            square[c % 4] += x2;
        }
        total_ -= (sum[0] + sum[1]) + (sum[2] + sum[3]);
        total_square_ -= (square[0] + square[1]) + (square[2] + square[3]);
    }

    // Fills one row of the surface from what is left.
    void write(std::size_t lag_row) {
        const std::size_t centre = g_.max_dx;
        put(lag_row, centre, total_, total_square_);
        double left = total_, left_square = total_square_;
        double right = total_, right_square = total_square_;
        for (std::size_t cut = 1; cut <= g_.max_dx; ++cut) {
            left -= column_sum_[cut - 1];
            left_square -= column_square_[cut - 1];
            right -= column_sum_[g_.image.cols - cut];
            right_square -= column_square_[g_.image.cols - cut];
            put(lag_row, centre - cut, left, left_square);
            put(lag_row, centre + cut, right, right_square);
        }
    }

  private:
    void put(std::size_t lag_row, std::size_t lag_col, double sum, double square_sum) {
        const std::size_t i = lag_row * g_.surface().cols + lag_col;
        const auto n = static_cast<double>(g_.overlap(lag_row, lag_col).size());
        out_.sum[i] = sum;
        out_.variance[i] = square_sum - sum * sum / n;
    }

    const AnyView& image_;
    Scaling scaling_;
    const Geometry& g_;
    OverlapSums& out_;
    std::vector<double> column_sum_, column_square_, row_;
    double total_ = 0, total_square_ = 0;
};

}  // namespace

void read_row(const AnyView& image, Scaling scaling, std::size_t row, double* out) {
    std::visit(
        [&](const auto& view) {
            const auto* from = view.row(row);
            const std::size_t cols = view.shape.cols;
            if (view.col_stride == 1) {
                for (std::size_t c = 0; c < cols; ++c) {
                    out[c] = (static_cast<double>(from[c]) - scaling.offset) * scaling.scale;
                }
                return;
            }
            for (std::size_t c = 0; c < cols; ++c, from += view.col_stride) {
                out[c] = (static_cast<double>(*from) - scaling.offset) * scaling.scale;
            }
        },
        image);
}

OverlapSums overlap_sums(const AnyView& image, Scaling scaling, const ColumnSums& columns,
                         const Geometry& geometry) {
    OverlapSums out;
    out.sum.resize(geometry.surface().size());
    out.variance.resize(geometry.surface().size());
    // Lags up to zero cut rows at the top, the others at the bottom.
    Walk top(image, scaling, columns, geometry, out);
    top.write(geometry.max_dy);
    for (std::size_t cut = 1; cut <= geometry.max_dy; ++cut) {
        top.remove_row(cut - 1);
        top.write(geometry.max_dy - cut);
    }
    Walk bottom(image, scaling, columns, geometry, out);
    for (std::size_t cut = 1; cut <= geometry.max_dy; ++cut) {
        bottom.remove_row(geometry.image.rows - cut);
        bottom.write(geometry.max_dy + cut);
    }
    return out;
}

}  // namespace stemzoo::ncc
