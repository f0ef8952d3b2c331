// Lines of a scan in the picture: each is straight, and a step apart from pixel to pixel.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "scan/scan.hpp"

namespace stemzoo::scan {

// Where pixel 0 of a row lies in the picture.
inline Pair start_of(const Scan& scan, const Placement& placement, std::size_t row) {
    const Pair d = scan.path[row];
    return placement.to_picture({static_cast<double>(row) + d.y, d.x});
}

// Pixels [first, second) of a line that starts at `start` and advances by `step` lie in [low,
// high).
inline std::pair<std::size_t, std::size_t> inside(double start, double step, double low,
                                                  double high, std::size_t count) {
    if (std::abs(step) < 1e-12) {
        const bool in = start >= low && start < high;
        return {0, in ? count : 0};
    }
    double from = (low - start) / step, to = (high - start) / step;
    if (from > to) std::swap(from, to);
    const auto whole = [count](double v) {
        return static_cast<std::size_t>(std::clamp(v, 0.0, static_cast<double>(count)));
    };
    // One pixel more on either side: the caller checks each.
    return {whole(std::floor(from)), whole(std::ceil(to) + 1)};
}

}  // namespace stemzoo::scan
