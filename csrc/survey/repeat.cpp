#include "survey/repeat.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ncc/ncc.hpp"
#include "trust/prominence.hpp"

namespace stemzoo::survey {
namespace {

constexpr double reach_share = 1.0 / 3;  // of the shorter side
constexpr float least_rise = 0.1f;       // of a correlation, over the saddle to a higher one
// Of the highest correlation: lattice vectors, of which the shortest is the spacing.
constexpr double alike = 0.8;

struct Lag {
    double correlation, distance;
};

}  // namespace

Repeat nearest_repeat(const float* pixels, Shape image, unsigned threads) {
    const auto shorter = static_cast<double>(std::min(image.rows, image.cols));
    const auto reach = static_cast<std::size_t>(shorter * reach_share);
    const AnyView view = contiguous(pixels, image);
    const ncc::Reference reference(view, {reach, reach}, nullptr, threads,
                                   ncc::Reference::Pixels::borrow);
    const Shape whole = reference.surface_shape();
    std::vector<float> surface(whole.size());
    reference.correlate(view, nullptr, surface.data(), threads);

    // Each vector has its opposite in the other half.
    const float* const half = surface.data() + reach * whole.cols;
    std::vector<trust::Maximum> maxima = trust::maxima(half, {reach + 1, whole.cols}, least_rise);
    std::vector<Lag> lags;
    double highest = 0;
    for (std::size_t i = 1; i < maxima.size(); ++i) {  // no distance has the highest
        const std::size_t y = maxima[i].place / whole.cols, x = maxima[i].place % whole.cols;
        if (y >= reach || x == 0 || x >= 2 * reach) continue;
        const auto correlation = static_cast<double>(half[maxima[i].place]);
        lags.push_back(
            {correlation, std::hypot(static_cast<double>(y),
                                     static_cast<double>(x) - static_cast<double>(reach))});
        highest = std::max(highest, correlation);
    }
    Repeat found;
    if (!(highest > 0)) return found;
    found.correlation = highest;
    for (const Lag& each : lags) {
        if (each.correlation < alike * highest || each.distance >= found.distance) continue;
        found.distance = each.distance;
    }
    return found;
}

}  // namespace stemzoo::survey
