#include "survey/variance_line.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "survey/quantile.hpp"

namespace stemzoo::survey {
namespace {

constexpr std::size_t bins = 32, least_bins = 3;
constexpr double least_count = 30;                 // pixels of a bin that counts
constexpr std::size_t sampled = 20000;             // pixels are enough for the limits of the bins
constexpr double lowest = 0.002, highest = 0.998;  // quantiles: those limits
constexpr double unknown = std::numeric_limits<double>::infinity();

struct Bin {
    double count = 0, value = 0, square = 0, fourth = 0;  // sums, then means
    double weight = 0;
};

// The fair pixels: their intensities, and the squares of their residuals.
struct Pixels {
    std::vector<float> values, squares;
};

Pixels fair_pixels(const float* clean, const float* residual, std::size_t count, float limit) {
    Pixels found;
    found.values.reserve(count);
    found.squares.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (!(std::abs(residual[i]) < limit)) continue;
        found.values.push_back(clean[i]);
        found.squares.push_back(residual[i] * residual[i]);
    }
    return found;
}

std::vector<Bin> binned(const Pixels& pixels, double low, double high) {
    std::array<Bin, bins> all{};
    const double scale = static_cast<double>(bins) / (high - low);
    for (std::size_t i = 0; i < pixels.values.size(); ++i) {
        const auto value = static_cast<double>(pixels.values[i]),
                   square = static_cast<double>(pixels.squares[i]);
        const double place = std::clamp((value - low) * scale, 0.0, static_cast<double>(bins - 1));
        Bin& bin = all[static_cast<std::size_t>(place)];
        bin.count += 1;
        bin.value += value;
        bin.square += square;
        bin.fourth += square * square;
    }
    std::vector<Bin> used;
    double squares = 0;
    for (Bin bin : all) {
        if (!(bin.count > least_count)) continue;
        bin.value /= bin.count;
        bin.square /= bin.count;
        bin.fourth /= bin.count;
        squares += bin.square;
        used.push_back(bin);
    }
    const double typical = squares / static_cast<double>(used.size());
    for (Bin& bin : used) {
        const double spread = bin.fourth - bin.square * bin.square;
        bin.weight = bin.count / std::max(spread, 1e-3 * typical * typical);
    }
    return used;
}

template <typename Of>
double sum(const std::vector<Bin>& used, Of of) {
    double total = 0;
    for (const Bin& bin : used) total += of(bin);
    return total;
}

}  // namespace

VarianceLine variance_line(const float* clean, const float* residual, std::size_t count,
                           float limit) {
    const Pixels pixels = fair_pixels(clean, residual, count, limit);
    const std::size_t fair = pixels.values.size();
    std::vector<float> some;
    for (std::size_t i = 0; i < fair; i += 1 + fair / sampled) some.push_back(pixels.values[i]);
    const double low = quantile(some, lowest), high = quantile(some, highest);
    if (!(high > low)) {
        double squares = 0;
        for (const float square : pixels.squares) squares += static_cast<double>(square);
        return {squares / static_cast<double>(fair), 0, unknown};
    }
    const std::vector<Bin> used = binned(pixels, low, high);
    const double weights = sum(used, [](const Bin& b) { return b.weight; });
    const double centre = sum(used, [](const Bin& b) { return b.weight * b.value; }) / weights;
    const auto off = [&](const Bin& b) { return b.value - centre; };
    const double spread = sum(used, [&](const Bin& b) { return b.weight * off(b) * off(b); });
    if (used.size() < least_bins || !(spread > 0)) {
        const double counts = sum(used, [](const Bin& b) { return b.count; });
        return {sum(used, [](const Bin& b) { return b.count * b.square; }) / counts, 0, unknown};
    }
    VarianceLine line;
    line.slope = sum(used, [&](const Bin& b) { return b.weight * off(b) * b.square; }) / spread;
    line.level =
        sum(used, [](const Bin& b) { return b.weight * b.square; }) / weights - line.slope * centre;
    const double misfit = sum(used, [&](const Bin& b) {
        const double miss = b.square - line.level - line.slope * b.value;
        return b.weight * miss * miss;
    });
    const double excess = std::max(1.0, misfit / static_cast<double>(used.size() - 2));
    line.slope_error = std::sqrt(excess / spread);
    return line;
}

}  // namespace stemzoo::survey
