#include "drift/hot.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "drift/pixel_kernels.hpp"

namespace stemzoo::drift {
namespace {

constexpr double outlying = 6;   // standard deviations from the mean: a pixel is looked at
constexpr double hot = 6;        // times the shot noise, above the highest of its neighbours
constexpr std::size_t few = 50;  // of all pixels, one in so many may be looked at

struct Outlier {
    std::size_t row, col;
    float value, usual, lowest, highest;  // and of its neighbours the median and the extremes
};

// Neighbours beyond an edge are the ones opposite.
std::size_t mirrored(std::size_t place, int step, std::size_t side) {
    if (step < 0) return place == 0 ? 1 : place - 1;
    if (step > 0) return place + 1 == side ? side - 2 : place + 1;
    return place;
}

Outlier seen(const View<float>& pixels, std::size_t row, std::size_t col) {
    float around[8];
    std::size_t count = 0;
    for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx) {
            if (dy == 0 && dx == 0) continue;
            around[count++] = pixels.at(mirrored(row, dy, pixels.shape.rows),
                                        mirrored(col, dx, pixels.shape.cols));
        }
    }
    std::sort(around, around + 8);
    return {row, col, pixels.at(row, col), (around[3] + around[4]) / 2, around[0], around[7]};
}

std::vector<Outlier> outliers(const View<float>& pixels, float far) {
    std::vector<Outlier> found;
    for (std::size_t r = 0; r < pixels.shape.rows; ++r) {
        const RowSurvey row = pixel_kernels().survey(pixels.row(r), pixels.shape.cols);
        if (row.highest <= far && row.lowest >= -far) continue;
        for (std::size_t c = 0; c < pixels.shape.cols; ++c) {
            if (std::abs(pixels.at(r, c)) > far) found.push_back(seen(pixels, r, c));
        }
    }
    return found;
}

}  // namespace

bool cool(const View<float>& pixels, const Survey& survey) {
    const auto far = static_cast<float>(outlying * std::sqrt(survey.mean_square));
    if (survey.highest <= far && survey.lowest >= -far) return false;
    const std::vector<Outlier> found = outliers(pixels, far);
    if (found.empty() || found.size() > pixels.shape.size() / few) return false;
    for (const Outlier& each : found) pixels.at(each.row, each.col) = each.usual;
    // One hot pixel would be most of the noise. Shot noise: the variance is the signal times a
    // gain, which the image itself tells.
    const Survey without(View<const float>{pixels.data, pixels.shape, pixels.row_stride, 1});
    const auto floor = static_cast<double>(without.lowest);
    double mean = 0;
    for (const float row : without.row_means) mean += static_cast<double>(row);
    mean /= static_cast<double>(without.row_means.size());
    const double gain = without.noise / std::max(mean - floor, 1e-30);
    bool any = false;
    for (const Outlier& each : found) {
        const double highest = static_cast<double>(each.highest),
                     noise = std::sqrt(gain * (std::max(highest - floor, 0.0) + gain));
        const auto value = static_cast<double>(each.value);
        const double stands = std::max(value - highest, static_cast<double>(each.lowest) - value);
        if (stands > hot * noise) {
            any = true;
        } else {
            pixels.at(each.row, each.col) = each.value;
        }
    }
    return any;
}

}  // namespace stemzoo::drift
