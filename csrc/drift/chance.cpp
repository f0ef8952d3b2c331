#include "drift/chance.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "drift/checks.hpp"

namespace stemzoo::drift {
namespace {

struct Sums {
    double reference = 0, moving = 0, both = 0;

    void add(const Powers& a, const Powers& b, std::size_t ring, std::size_t begin, std::size_t end,
             double times) {
        const auto lattice_a = static_cast<double>(a.lattice[ring]),
                   lattice_b = static_cast<double>(b.lattice[ring]);
        double in_a = 0, in_b = 0, in_both = 0;
        for (std::size_t at = begin; at < end; ++at) {
            const auto x = static_cast<double>(a.by_ring[at]),
                       y = static_cast<double>(b.by_ring[at]);
            in_a += x;
            in_b += y;
            in_both += x * y - std::max(x - lattice_a, 0.0) * std::max(y - lattice_b, 0.0);
        }
        reference += times * in_a;
        moving += times * in_b;
        both += times * in_both;
    }
};

}  // namespace

double chance(const Frame& reference, const Frame& moving, double dy, double dx) {
    require_one_shape(reference, moving);
    require_finite(dy, dx);
    const Shape shape = reference.shape();
    const double down = 1 - std::abs(dy) / static_cast<double>(shape.rows),
                 across = 1 - std::abs(dx) / static_cast<double>(shape.cols);
    const Powers &a = reference.powers(), &b = moving.powers();
    const Rings& rings = *a.rings;
    Sums total;
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        total.add(a, b, ring, rings.begin[ring], rings.twice[ring], 1);
        total.add(a, b, ring, rings.twice[ring], rings.begin[ring + 1], 2);
    }
    const double power = total.reference * total.moving;
    if (!(down > 0 && across > 0 && power > 0)) return std::numeric_limits<double>::infinity();
    return std::sqrt(total.both / power / (down * across));
}

}  // namespace stemzoo::drift
