#include "scan/resample_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "core/number_text.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "scan/cubic_spline.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t neighbours = 6;       // rows that a row of the result is made of
constexpr double correlation_length = 1.6;  // rows, of the Gaussian covariance across rows
constexpr double nugget = 3e-3;  // noise variance that keeps close rows from being extrapolated
constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

struct RowWeights {
    std::array<std::size_t, neighbours> row{};
    std::array<double, neighbours> weight{};
    std::size_t count = 0;
};

// Solves a x = b for a symmetric positive definite a, by Cholesky's method.
void solve(std::array<std::array<double, neighbours>, neighbours>& a,
           std::array<double, neighbours>& b, std::size_t n) {
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = j; i < n; ++i) {
            double sum = a[i][j];
            for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
            a[i][j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j][j];
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
}

double covariance(double away) {
    const double u = away / correlation_length;
    return std::exp(-0.5 * u * u);
}

// Ordinary kriging at height `y` from the rows nearest to it.
RowWeights kriging(double y, const std::vector<double>& height,
                   const std::vector<std::size_t>& order) {
    RowWeights w;
    const auto after = std::lower_bound(order.begin(), order.end(), y,
                                        [&](std::size_t r, double v) { return height[r] < v; });
    auto low = after, high = after;
    while (w.count < neighbours && (low != order.begin() || high != order.end())) {
        const bool below = high == order.end() ||
                           (low != order.begin() && y - height[*(low - 1)] <= height[*high] - y);
        w.row[w.count++] = below ? *--low : *high++;
    }
    const double nearest = std::abs(height[w.row[0]] - y);
    if (nearest < 1e-9) {
        w.count = 1;
        w.weight[0] = 1;
        return w;
    }
    std::array<std::array<double, neighbours>, neighbours> a{}, again{};
    std::array<double, neighbours> wanted{}, ones{};
    // The nearest row's noise counts for less the nearer it is: continuous towards its own place.
    for (std::size_t i = 0; i < w.count; ++i) {
        for (std::size_t j = 0; j < w.count; ++j) {
            a[i][j] = covariance(height[w.row[i]] - height[w.row[j]]) +
                      (i == j ? nugget * std::min(std::abs(height[w.row[i]] - y), 1.0) : 0);
        }
        wanted[i] = covariance(height[w.row[i]] - y);
        ones[i] = 1;
    }
    again = a;
    solve(a, wanted, w.count);
    solve(again, ones, w.count);
    const double sum = std::accumulate(wanted.begin(), wanted.begin() + w.count, 0.0);
    const double norm = std::accumulate(ones.begin(), ones.begin() + w.count, 0.0);
    for (std::size_t i = 0; i < w.count; ++i) {
        w.weight[i] = wanted[i] + ones[i] * (1 - sum) / norm;
    }
    return w;
}

// One row moved along itself: to[x] = from(x - shift).
void slide(const float* from, std::size_t cols, double shift, float* line, float* to) {
    std::copy_n(from, cols, line);
    bool whole = true;
    std::size_t last = cols;  // the last finite pixel before x
    for (std::size_t x = 0; x < cols; ++x) {
        if (std::isfinite(line[x])) {
            if (last == cols) std::fill_n(line, x, line[x]);
            last = x;
        } else {
            whole = false;
            line[x] = last == cols ? 0 : line[last];
        }
    }
    if (shift != 0) {
        spline_along_row(line, cols);
        const CubicTaps taps(-shift);
        const auto width = static_cast<std::ptrdiff_t>(cols);
        const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(-taps.first, 0, width);
        const std::ptrdiff_t end = std::clamp<std::ptrdiff_t>(width - 3 - taps.first, begin, width);
        const auto& v = taps.value;
        for (std::ptrdiff_t x = begin; x < end; ++x) {
            const float* const c = line + x + taps.first;
            to[x] = v[0] * c[0] + v[1] * c[1] + v[2] * c[2] + v[3] * c[3];
        }
        for (std::ptrdiff_t x = 0; x < width; x = x + 1 == begin ? std::max(end, x + 1) : x + 1) {
            if (x >= begin && x < end) continue;
            float sum = 0;
            for (std::ptrdiff_t t = 0; t < 4; ++t) {
                sum += v[static_cast<std::size_t>(t)] * line[mirrored(x + taps.first + t, cols)];
            }
            to[x] = sum;
        }
    } else {
        std::copy_n(line, cols, to);
    }
    if (whole) return;
    for (std::size_t x = 0; x < cols; ++x) {
        const auto at = static_cast<std::ptrdiff_t>(std::lround(static_cast<double>(x) - shift));
        if (!std::isfinite(from[mirrored(at, cols)])) to[x] = nothing;
    }
}

}  // namespace

void resample_rows(const float* image, Shape shape, const std::vector<Pair>& displacement,
                   float* result, unsigned threads) {
    if (displacement.size() != shape.rows) {
        throw std::invalid_argument("got " + std::to_string(displacement.size()) +
                                    " displacements for an image of " + std::to_string(shape.rows) +
                                    " rows; expected one a row");
    }
    bool across = false;
    std::vector<double> height(shape.rows);
    for (std::size_t y = 0; y < shape.rows; ++y) {
        const Pair d = displacement[y];
        if (!(std::abs(d.y) < static_cast<double>(shape.rows) &&
              std::abs(d.x) < static_cast<double>(shape.cols))) {
            throw std::invalid_argument("displacement of row " + std::to_string(y) + " is (" +
                                        number_text(d.y) + ", " + number_text(d.x) +
                                        "); expected finite numbers smaller than the image, " +
                                        shape.text());
        }
        height[y] = static_cast<double>(y) + d.y;
        across = across || d.y != 0;
    }
    const Scratch<float> moved(across ? shape.size() : 0);
    float* const straight = across ? moved.data() : result;
    parallel_for(shape.rows, threads, 8, [&](std::size_t begin, std::size_t end) {
        const Scratch<float> line(shape.cols);
        for (std::size_t y = begin; y < end; ++y) {
            slide(image + y * shape.cols, shape.cols, displacement[y].x, line.data(),
                  straight + y * shape.cols);
        }
    });
    if (!across) return;
    std::vector<std::size_t> order(shape.rows);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return height[a] < height[b]; });
    parallel_for(shape.rows, threads, 8, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y) {
            const RowWeights w = kriging(static_cast<double>(y), height, order);
            float* const to = result + y * shape.cols;
            const float* const nearest = straight + w.row[0] * shape.cols;
            for (std::size_t x = 0; x < shape.cols; ++x) {
                to[x] = static_cast<float>(w.weight[0]) * nearest[x];
            }
            for (std::size_t k = 1; k < w.count; ++k) {
                const auto weight = static_cast<float>(w.weight[k]);
                const float* const from = straight + w.row[k] * shape.cols;
                for (std::size_t x = 0; x < shape.cols; ++x) {
                    // Unknown pixels of rows farther off are replaced by the nearest row's.
                    to[x] += weight * (std::isfinite(from[x]) ? from[x] : nearest[x]);
                }
            }
        }
    });
}

}  // namespace stemzoo::scan
