#include "scan/cubic_spline.hpp"

#include <algorithm>
#include <cmath>

#include "core/parallel.hpp"

namespace stemzoo::scan {
namespace {

constexpr float pole = -0.267949192f;  // sqrt(3) - 2
constexpr std::size_t horizon = 14;    // pole^14 is below the rounding of float32

// The mirrored sum of pole^k sample[k] that starts the causal recursion.
template <typename Sample>
float causal_start(std::size_t count, const Sample& sample) {
    float sum = 0, power = 1;
    for (std::size_t k = 0; k <= horizon; ++k) {
        sum += power * sample(mirrored(static_cast<std::ptrdiff_t>(k), count));
        power *= pole;
    }
    return sum;
}

}  // namespace

CubicTaps::CubicTaps(double place) {
    const double before = std::floor(place), f = place - before, g = 1 - f;
    first = static_cast<std::ptrdiff_t>(before) - 1;
    const double values[4] = {g * g * g / 6, (4 - 6 * f * f + 3 * f * f * f) / 6,
                              (4 - 6 * g * g + 3 * g * g * g) / 6, f * f * f / 6};
    const double slopes[4] = {-g * g / 2, f * (1.5 * f - 2), -g * (1.5 * g - 2), f * f / 2};
    for (std::size_t t = 0; t < 4; ++t) {
        value[t] = static_cast<float>(values[t]);
        slope[t] = static_cast<float>(slopes[t]);
    }
}

std::size_t mirrored(std::ptrdiff_t i, std::size_t size) {
    if (size < 2) return 0;
    const auto period = static_cast<std::ptrdiff_t>(2 * (size - 1));
    const auto at = static_cast<std::size_t>((i % period + period) % period);
    return std::min(at, static_cast<std::size_t>(period) - at);
}

void spline_along_row(float* row, std::size_t cols) {
    if (cols < 2) return;
    row[0] = causal_start(cols, [row](std::size_t x) { return row[x]; });
    for (std::size_t x = 1; x < cols; ++x) row[x] += pole * row[x - 1];
    const float end = row[cols - 1] + pole * row[cols - 2];
    row[cols - 1] = 6 * pole / (pole * pole - 1) * end;
    for (std::size_t x = cols - 1; x-- > 0;) row[x] = pole * (row[x + 1] - 6 * row[x]);
}

void spline_across_rows(float* image, Shape shape) {
    const std::size_t cols = shape.cols;
    if (shape.rows < 2) return;
    for (std::size_t x = 0; x < cols; ++x) {
        image[x] = causal_start(shape.rows, [=](std::size_t y) { return image[y * cols + x]; });
    }
    for (std::size_t y = 1; y < shape.rows; ++y) {
        float* const row = image + y * cols;
        const float* const above = row - cols;
        for (std::size_t x = 0; x < cols; ++x) row[x] += pole * above[x];
    }
    float* const last = image + (shape.rows - 1) * cols;
    const float* const above = last - cols;
    for (std::size_t x = 0; x < cols; ++x) {
        last[x] = 6 * pole / (pole * pole - 1) * (last[x] + pole * above[x]);
    }
    for (std::size_t y = shape.rows - 1; y-- > 0;) {
        float* const row = image + y * cols;
        for (std::size_t x = 0; x < cols; ++x) row[x] = pole * (row[x + cols] - 6 * row[x]);
    }
}

void spline(float* image, Shape shape, unsigned threads) {
    parallel_for(shape.rows, threads, 16, [&](std::size_t begin, std::size_t end) {
        for (std::size_t y = begin; y < end; ++y)
            spline_along_row(image + y * shape.cols, shape.cols);
    });
    spline_across_rows(image, shape);
}

}  // namespace stemzoo::scan
