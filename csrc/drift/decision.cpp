#include "drift/decision.hpp"

#include <algorithm>
#include <cmath>

namespace stemzoo::drift {
namespace {

// Standard deviations by which the maximum of many normal values varies about sqrt(2 log n), and
// more.
constexpr double margin_of_maximum = 1;
constexpr double limit_width = 0.5;  // px

}  // namespace

bool beyond_chance(double score, double chance, std::size_t places) {
    if (!(chance < 1)) return false;
    const double independent = std::min(static_cast<double>(places), 1 / (chance * chance));
    const double maximum = std::sqrt(2 * std::log(std::max(independent, 1.0)));
    return score > (maximum + margin_of_maximum) * chance;
}

bool at_limit(const Vector& shift, const Vector& reach) {
    return std::abs(shift[0]) >= reach[0] - limit_width ||
           std::abs(shift[1]) >= reach[1] - limit_width;
}

}  // namespace stemzoo::drift
