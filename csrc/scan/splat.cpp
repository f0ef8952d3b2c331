#include "scan/splat.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/parallel.hpp"
#include "scan/cubic_spline.hpp"
#include "scan/lines.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t grain = 16;       // rows
constexpr double nearby = 2;            // px: standard deviation of what fills gaps
constexpr float trust_in_nearby = .1f;  // samples that what lies nearby counts as
constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

void blur_line(const float* from, float* to, std::size_t count, const std::vector<float>& kernel) {
    const auto reach = static_cast<std::ptrdiff_t>(kernel.size()) - 1;
    for (std::ptrdiff_t x = 0; x < static_cast<std::ptrdiff_t>(count); ++x) {
        float total = kernel[0] * from[x];
        for (std::ptrdiff_t k = 1; k <= reach; ++k) {
            const float before = x >= k ? from[x - k] : 0;
            const float after = x + k < static_cast<std::ptrdiff_t>(count) ? from[x + k] : 0;
            total += kernel[static_cast<std::size_t>(k)] * (before + after);
        }
        to[x] = total;
    }
}

// A Gaussian average; there is nothing outside.
std::vector<float> blurred(const std::vector<float>& image, Shape shape, double sigma,
                           unsigned threads) {
    std::vector<float> kernel;
    for (int k = 0; k <= static_cast<int>(3 * sigma); ++k) {
        kernel.push_back(static_cast<float>(std::exp(-k * k / (2 * sigma * sigma))));
    }
    const auto reach = static_cast<std::ptrdiff_t>(kernel.size()) - 1;
    const std::size_t cols = shape.cols;
    std::vector<float> across(image.size()), result(image.size());
    parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y) {
            blur_line(image.data() + y * cols, across.data() + y * cols, cols, kernel);
        }
    });
    parallel_for(shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y) {
            float* const to = result.data() + y * cols;
            for (std::ptrdiff_t k = -reach; k <= reach; ++k) {
                const auto row = static_cast<std::ptrdiff_t>(y) + k;
                if (row < 0 || row >= static_cast<std::ptrdiff_t>(shape.rows)) continue;
                const float weight = kernel[static_cast<std::size_t>(std::abs(k))];
                const float* const from = across.data() + static_cast<std::size_t>(row) * cols;
                for (std::size_t x = 0; x < cols; ++x) to[x] += weight * from[x];
            }
        }
    });
    return result;
}

}  // namespace

void Splat::subtract(const Splat& other) {
    for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] -= other.sum[i];
        weight[i] = std::max(weight[i] - other.weight[i], 0.0f);
    }
}

void add(const Scan& scan, Splat& to, unsigned threads) {
    const Placement placement(scan, to.shape);
    const Pair step = placement.step();
    const std::size_t cols = to.shape.cols;
    // Each thread owns some rows of the picture and takes the samples that reach them.
    parallel_for(to.shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        const double low = static_cast<double>(begin) - 1, high = static_cast<double>(end);
        for (std::size_t row = 0; row < scan.shape.rows; ++row) {
            const Pair start = start_of(scan, placement, row);
            const float* const from = scan.pixels + row * scan.shape.cols;
            const auto range = inside(start.y, step.y, low, high, scan.shape.cols);
            for (std::size_t c = range.first; c < range.second; ++c) {
                const double y = start.y + static_cast<double>(c) * step.y,
                             x = start.x + static_cast<double>(c) * step.x;
                if (!(y >= low && y < high && x > -1 && x < static_cast<double>(cols))) continue;
                const float value = from[c];
                if (!std::isfinite(value)) continue;
                const double top = std::floor(y), left = std::floor(x);
                const auto fy = static_cast<float>(y - top), fx = static_cast<float>(x - left);
                const auto iy = static_cast<std::ptrdiff_t>(top),
                           ix = static_cast<std::ptrdiff_t>(left);
                for (std::ptrdiff_t j = 0; j < 2; ++j) {
                    const std::ptrdiff_t py = iy + j;
                    if (py < static_cast<std::ptrdiff_t>(begin) ||
                        py >= static_cast<std::ptrdiff_t>(end))
                        continue;
                    const float wy = j == 0 ? 1 - fy : fy;
                    for (std::ptrdiff_t i = 0; i < 2; ++i) {
                        const std::ptrdiff_t px = ix + i;
                        if (px < 0 || px >= static_cast<std::ptrdiff_t>(cols)) continue;
                        const float w = wy * (i == 0 ? 1 - fx : fx);
                        const std::size_t at =
                            static_cast<std::size_t>(py) * cols + static_cast<std::size_t>(px);
                        to.sum[at] += w * value;
                        to.weight[at] += w;
                    }
                }
            }
        }
    });
}

std::vector<float> filled(const Splat& splat, unsigned threads) {
    double total = 0, weights = 0;
    for (std::size_t i = 0; i < splat.sum.size(); ++i) {
        total += static_cast<double>(splat.sum[i]);
        weights += static_cast<double>(splat.weight[i]);
    }
    const auto mean = static_cast<float>(weights > 0 ? total / weights : 0);
    const auto sums = blurred(splat.sum, splat.shape, nearby, threads),
               counts = blurred(splat.weight, splat.shape, nearby, threads);
    std::vector<float> result(splat.sum.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
        const float local = (sums[i] + mean) / (counts[i] + 1);
        result[i] = (splat.sum[i] + trust_in_nearby * local) / (splat.weight[i] + trust_in_nearby);
    }
    return result;
}

std::vector<float> density(const std::vector<float>& weight, Shape shape, unsigned threads) {
    const std::vector<float> all(weight.size(), 1.0f);
    std::vector<float> result = blurred(weight, shape, nearby, threads);
    const std::vector<float> most = blurred(all, shape, nearby, threads);
    std::transform(result.begin(), result.end(), most.begin(), result.begin(), std::divides<>());
    return result;
}

void sample(const float* coefficients, Shape picture, const Scan& scan, float* result,
            unsigned threads) {
    const Placement placement(scan, picture);
    const Pair step = placement.step();
    const std::size_t cols = scan.shape.cols;
    const double last_y = static_cast<double>(picture.rows) - 1,
                 last_x = static_cast<double>(picture.cols) - 1;
    parallel_for(scan.shape.rows, threads, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            const Pair start = start_of(scan, placement, row);
            for (std::size_t c = 0; c < cols; ++c) {
                const double y = start.y + static_cast<double>(c) * step.y,
                             x = start.x + static_cast<double>(c) * step.x;
                float& to = result[row * cols + c];
                to = nothing;
                if (!(y >= 0 && y <= last_y && x >= 0 && x <= last_x)) continue;
                const CubicTaps down(y), right(x);
                const bool whole = down.first >= 0 && right.first >= 0 &&
                                   down.first + 4 <= static_cast<std::ptrdiff_t>(picture.rows) &&
                                   right.first + 4 <= static_cast<std::ptrdiff_t>(picture.cols);
                float total = 0;
                for (std::ptrdiff_t j = 0; j < 4; ++j) {
                    const std::size_t py = whole ? static_cast<std::size_t>(down.first + j)
                                                 : mirrored(down.first + j, picture.rows);
                    const float* const from = coefficients + py * picture.cols;
                    float line = 0;
                    for (std::ptrdiff_t i = 0; i < 4; ++i) {
                        const std::size_t px = whole ? static_cast<std::size_t>(right.first + i)
                                                     : mirrored(right.first + i, picture.cols);
                        line += right.value[static_cast<std::size_t>(i)] * from[px];
                    }
                    total += down.value[static_cast<std::size_t>(j)] * line;
                }
                to = total;
            }
        }
    });
}

}  // namespace stemzoo::scan
