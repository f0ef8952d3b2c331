#include "drift/chance.hpp"

#include <cmath>
#include <cstddef>
#include <limits>

#include "drift/checks.hpp"
#include "drift/kernels.hpp"

namespace stemzoo::drift {
namespace {

// The sum of the products of both powers, less what both have in Bragg peaks.
double common_power(const Powers& a, const Powers& b) {
    const Rings& rings = *a.rings;
    double total = 0;
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        const auto part = [&](std::size_t begin, std::size_t end) {
            return kernels().common_power(a.by_ring.data() + begin, b.by_ring.data() + begin,
                                          end - begin, a.lattice[ring], b.lattice[ring]);
        };
        total += part(rings.begin[ring], rings.twice[ring]) +
                 2 * part(rings.twice[ring], rings.begin[ring + 1]);
    }
    return total;
}

}  // namespace

double chance_of(double common_power, double power, Shape shape, double dy, double dx) {
    const double down = 1 - std::abs(dy) / static_cast<double>(shape.rows),
                 across = 1 - std::abs(dx) / static_cast<double>(shape.cols);
    if (!(down > 0 && across > 0 && power > 0)) return std::numeric_limits<double>::infinity();
    return std::sqrt(common_power / power / (down * across));
}

double chance(const Frame& reference, const Frame& moving, double dy, double dx) {
    require_one_shape(reference, moving);
    require_finite(dy, dx);
    const Powers &a = reference.powers(), &b = moving.powers();
    return chance_of(common_power(a, b), a.total * b.total, reference.shape(), dy, dx);
}

}  // namespace stemzoo::drift
