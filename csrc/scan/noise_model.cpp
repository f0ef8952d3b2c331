#include "scan/noise_model.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::size_t bins = 32;        // of intensity
constexpr int rounds = 2;               // of fitting the variance
constexpr double outlier = 5;           // residuals are clipped at this many standard deviations
constexpr double first_outlier = 12;    // before the variance is known as a function of intensity
constexpr double least_level = 1e-9;    // of the model's variance, 1: float32 has no less
constexpr double white_enough = 0.03;   // a correlation below it is not worth undoing
constexpr std::size_t sampled = 20000;  // pixels are enough for a median

struct Sums {
    std::array<double, bins> count{}, mean{}, square{};
    std::array<double, NoiseModel::order + 1> lag{};
};

double median_residual(const float* image, const float* model, std::size_t size) {
    std::vector<float> residuals;
    const std::size_t step = size / sampled + 1;
    for (std::size_t i = 0; i < size; i += step) {
        const float r = std::abs(image[i] - model[i]);
        if (std::isfinite(r)) residuals.push_back(r);
    }
    if (residuals.empty()) return 0;
    const auto middle = residuals.begin() + static_cast<std::ptrdiff_t>(residuals.size() / 2);
    std::nth_element(residuals.begin(), middle, residuals.end());
    return static_cast<double>(*middle);
}

// The linear prediction of a stationary series from its autocovariance (Levinson and Durbin).
void predict(const std::array<double, NoiseModel::order + 1>& lag, NoiseModel& noise) {
    std::array<double, NoiseModel::order> a{};
    double error = lag[0];
    for (std::size_t k = 0; k < a.size() && error > 0; ++k) {
        double reflection = lag[k + 1];
        for (std::size_t j = 0; j < k; ++j) reflection -= a[j] * lag[k - j];
        reflection = std::clamp(reflection / error, -0.95, 0.95);
        const auto before = a;
        a[k] = reflection;
        for (std::size_t j = 0; j < k; ++j) a[j] -= reflection * before[k - 1 - j];
        error *= 1 - reflection * reflection;
    }
    std::transform(a.begin(), a.end(), noise.white.begin(), [](double v) { return float(v); });
    noise.unpredicted = error / lag[0];
}

// A straight line through the bins' mean squares; large means are uncertain in proportion.
void fit_line(const Sums& sums, NoiseModel& noise) {
    double s0 = 0, s1 = 0, s2 = 0, t0 = 0, t1 = 0, quietest = 0;
    for (std::size_t b = 0; b < bins; ++b) {
        if (sums.count[b] < 8) continue;
        const double mean = sums.mean[b] / sums.count[b], square = sums.square[b] / sums.count[b];
        if (s0 == 0 || square < quietest) quietest = square;
        const double expected = noise.level * std::max(1 + noise.slope * mean, 0.1);
        const double weight = sums.count[b] / (expected * expected);
        s0 += weight;
        s1 += weight * mean;
        s2 += weight * mean * mean;
        t0 += weight * square;
        t1 += weight * mean * square;
    }
    const double determinant = s0 * s2 - s1 * s1;
    if (s0 <= 0) return;
    double line = determinant > 1e-9 * s0 * s2 ? (s0 * t1 - s1 * t0) / determinant : 0;
    double level = (t0 - line * s1) / s0;
    if (!(level > 0)) {  // noise that vanishes within the range of intensities
        level = t0 / s0;
        line = 0;
    }
    noise.level = std::max(level, least_level);
    noise.slope = line / noise.level;
    const auto least = static_cast<float>(quietest / noise.level);
    noise.least = std::max(least, NoiseModel::least_variance);
}

}  // namespace

NoiseModel measure_noise(const float* image, const float* model, Shape shape, std::size_t margin,
                         unsigned threads) {
    NoiseModel noise;
    const auto range = std::minmax_element(model, model + shape.size());
    const float low = *range.first, high = *range.second;
    const double deviation = 1.4826 * median_residual(image, model, shape.size());
    noise.level = std::max(deviation * deviation, least_level);
    const float to_bin = high > low ? (static_cast<float>(bins) - 0.01f) / (high - low) : 0;

    std::vector<Sums> rows(shape.rows);
    for (int round = 0; round <= rounds; ++round) {
        const bool last = round == rounds;
        const double clip = round == 0 ? first_outlier : outlier;
        const auto level = static_cast<float>(noise.level), slope = static_cast<float>(noise.slope);
        const float least = noise.least;
        const auto limit = static_cast<float>(clip * clip);
        parallel_for(shape.rows, threads, 16, [&](std::size_t begin, std::size_t end) {
            std::vector<float> line(shape.cols);
            for (std::size_t y = begin; y < end; ++y) {
                Sums& sums = rows[y] = Sums{};
                const float *n = image + y * shape.cols, *m = model + y * shape.cols;
                for (std::size_t x = margin; x + margin < shape.cols; ++x) {
                    const float variance = level * std::max(1 + slope * m[x], least);
                    const float r = n[x] - m[x];
                    line[x] = 0;
                    if (!std::isfinite(r)) continue;
                    if (last) {
                        line[x] = std::clamp(r / std::sqrt(variance), static_cast<float>(-outlier),
                                             static_cast<float>(outlier));
                        continue;
                    }
                    const auto b = static_cast<std::size_t>((m[x] - low) * to_bin);
                    sums.count[b] += 1;
                    sums.mean[b] += static_cast<double>(m[x]);
                    sums.square[b] += static_cast<double>(std::min(r * r, limit * variance));
                }
                if (!last) continue;
                for (std::size_t k = 0; k <= NoiseModel::order; ++k) {
                    double sum = 0;
                    for (std::size_t x = margin; x + margin + k < shape.cols; ++x) {
                        sum += static_cast<double>(line[x] * line[x + k]);
                    }
                    sums.lag[k] = sum;
                }
            }
        });
        Sums sums;
        for (const Sums& row : rows) {  // in order: the same sum for any number of threads
            for (std::size_t b = 0; b < bins; ++b) {
                sums.count[b] += row.count[b];
                sums.mean[b] += row.mean[b];
                sums.square[b] += row.square[b];
            }
            for (std::size_t k = 0; k < sums.lag.size(); ++k) sums.lag[k] += row.lag[k];
        }
        if (!last) {
            fit_line(sums, noise);
            continue;
        }
        if (!(sums.lag[0] > 0)) continue;
        for (std::size_t k = 1; k < sums.lag.size(); ++k) {
            noise.coloured = noise.coloured || std::abs(sums.lag[k]) > white_enough * sums.lag[0];
        }
        if (noise.coloured) predict(sums.lag, noise);
    }
    return noise;
}

}  // namespace stemzoo::scan
