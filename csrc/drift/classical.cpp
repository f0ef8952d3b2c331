#include "drift/classical.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace stemzoo::drift {
namespace {

constexpr float beside = 0.25f, middle = 0.5f;  // the weights of the blur
constexpr double height = 20;                   // log-odds of a peak against none
constexpr double noise_peak = 10;  // standard deviations, which peaks of noise do not reach
constexpr float belief = 0.35f;    // in what stands out: part of it is left of the lattice
constexpr float usual = 3.4f;      // standard deviations that chance reaches somewhere
constexpr double least_overlap = 0.1;
constexpr double least = 1e-30;

}  // namespace

void blur(float* channel, Shape shape) {
    const std::size_t rows = shape.rows, cols = shape.cols;
    std::vector<float> above(cols, 0.0f), row(cols);
    for (std::size_t r = 0; r < rows; ++r) {
        float* const here = channel + r * cols;
        const float* const below = r + 1 < rows ? here + cols : nullptr;
        std::copy_n(here, cols, row.data());
        for (std::size_t c = 0; c < cols; ++c) {
            const float sum = middle * row[c] + beside * above[c];
            here[c] = below == nullptr ? sum : sum + beside * below[c];
        }
        above.swap(row);
    }
    for (std::size_t r = 0; r < rows; ++r) {
        float* const here = channel + r * cols;
        float left = 0;
        for (std::size_t c = 0; c < cols; ++c) {
            const float own = here[c], right = c + 1 < cols ? here[c + 1] : 0.0f;
            here[c] = middle * own + beside * left + beside * right;
            left = own;
        }
    }
}

double standard_deviation(const float* values, std::size_t count) {
    double sum = 0, square = 0;
    for (std::size_t i = 0; i < count; ++i) sum += static_cast<double>(values[i]);
    const double mean = sum / static_cast<double>(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double off = static_cast<double>(values[i]) - mean;
        square += off * off;
    }
    return std::sqrt(square / static_cast<double>(count));
}

void classical_log_odds(float* correlation, std::size_t count, double chance) {
    const auto deviation = static_cast<float>(std::max(chance, least));
    for (std::size_t i = 0; i < count; ++i) {
        const float above = std::max(correlation[i] / deviation, usual);
        correlation[i] = belief / 2 * (above * above - usual * usual);
    }
}

std::vector<double> peak_log_odds(const std::vector<Peak>& peaks, double correlation, Shape frame) {
    std::vector<double> heights;
    for (const Peak& peak : peaks) {
        const double down = 1 - std::abs(static_cast<double>(peak.dy)) /
                                    static_cast<double>(frame.rows),
                     across = 1 - std::abs(static_cast<double>(peak.dx)) /
                                      static_cast<double>(frame.cols);
        heights.push_back(static_cast<double>(peak.height) /
                          (std::max(down, least_overlap) * std::max(across, least_overlap)));
    }
    const double highest = *std::max_element(heights.begin(), heights.end()),
                 noise = noise_peak / std::max(correlation, least) /
                         std::sqrt(static_cast<double>(frame.size())),
                 weight = height * std::max(0.0, 1 - noise * noise);
    for (double& each : heights) each = weight * (each / highest - 1);
    return heights;
}

}  // namespace stemzoo::drift
