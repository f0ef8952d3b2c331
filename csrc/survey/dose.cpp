#include "survey/dose.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace stemzoo::survey {
namespace {

constexpr double skewed = 4;  // electrons per pixel: a lower mean is best seen in the skewness
constexpr double sure = 5;    // standard errors of the skewness
constexpr double none = std::numeric_limits<double>::quiet_NaN();

// Of the residual: its mean square without outliers in units of that with them, and its skewness.
struct Moments {
    double deviation = 0, second = 0, skewness = 0, count = 0;
};

Moments moments_of(const float* raw, const float* clean, std::size_t count) {
    Moments found;
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float residual = raw[i] - clean[i];
        squares += static_cast<double>(residual * residual);
    }
    found.deviation = std::sqrt(squares / static_cast<double>(count));
    const auto limit = static_cast<float>(2 * outlier * found.deviation),
               deviation = static_cast<float>(found.deviation);
    double second = 0, third = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const float residual = raw[i] - clean[i];
        if (!(std::abs(residual) < limit)) continue;
        const float scaled = residual / deviation, square = scaled * scaled;
        found.count += 1;
        second += static_cast<double>(square);
        third += static_cast<double>(square * scaled);
    }
    found.second = second / found.count;
    found.skewness = third / found.count / (found.second * std::sqrt(found.second));
    return found;
}

// Sums over the squares and cubes of the filter of zero phase that makes such noise of white noise.
struct FilterSums {
    double squares = 0, cubes = 0;
};

FilterSums filter_sums(const NoiseSpectrum& spectrum) {
    constexpr std::size_t n = NoiseSpectrum::grid;
    constexpr double pi = 3.14159265358979323846;
    std::vector<double> cosines(n), rows(n * n), filter(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        cosines[i] = std::cos(2 * pi * static_cast<double>(i) / static_cast<double>(n));
    }
    // The spectrum is even along both axes: cosines are its whole transform.
    for (std::size_t y = 0; y < n; ++y) {
        for (std::size_t u = 0; u < n; ++u) {
            const double amplitude = std::sqrt(spectrum.power[y * n + u]);
            for (std::size_t x = 0; x < n; ++x) rows[y * n + x] += amplitude * cosines[u * x % n];
        }
    }
    for (std::size_t y = 0; y < n; ++y) {
        for (std::size_t v = 0; v < n; ++v) {
            const double cosine = cosines[v * y % n];
            for (std::size_t x = 0; x < n; ++x) filter[y * n + x] += cosine * rows[v * n + x];
        }
    }
    double sum = 0;
    for (const double value : filter) sum += value;
    FilterSums found;
    for (const double value : filter) {
        const double share = value / sum;
        found.squares += share * share;
        found.cubes += share * share * share;
    }
    return found;
}

}  // namespace

double dose_of(const float* raw, const float* clean, Shape shape, double bright,
               const NoiseModel& noise) {
    const Moments moments = moments_of(raw, clean, shape.size());
    // Without any noise, or but for outliers, the clean estimate is the frame.
    if (!(moments.deviation > 0) || !(moments.second > 0)) return none;
    const FilterSums filter = filter_sums(noise.spectrum);
    const bool counts = std::isfinite(noise.gain);
    const double by_slope = counts ? (bright - noise.offset) / noise.gain : none;
    const double error = sure * std::sqrt(6 / (moments.count * filter.squares));
    if (moments.skewness < error || filter.cubes <= 0) return by_slope;
    // Third and second cumulant of filtered Poisson noise: gain^n * mean * sum(filter^n).
    const double gain = moments.skewness * moments.deviation * std::sqrt(moments.second) *
                        filter.squares / filter.cubes;
    const double ratio = filter.cubes / moments.skewness;
    const double mean = ratio * ratio / (filter.squares * filter.squares * filter.squares);
    double sum = 0;
    for (std::size_t i = 0; i < shape.size(); ++i) sum += static_cast<double>(clean[i]);
    const double above = std::max(0.0, bright - sum / static_cast<double>(shape.size()));
    const double by_skewness = mean + above / gain;
    return mean < skewed || !counts ? by_skewness : std::max(by_slope, by_skewness);
}

}  // namespace stemzoo::survey
