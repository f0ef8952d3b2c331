// Cross-correlations of two pictures, window by window: how far the second is displaced, here and
// there.
#pragma once

#include <cstddef>
#include <vector>

#include "core/array.hpp"
#include "scan/row_likelihood.hpp"

namespace stemzoo::scan {

struct LocalCorrelation {
    Pair at;                     // px: the middle of the window in the first picture
    std::size_t reach = 0;       // px: the largest displacement
    std::vector<float> surface;  // [2 reach + 1, 2 reach + 1], no displacement in the middle

    std::size_t side() const { return 2 * reach + 1; }
    // By bilinear interpolation; beyond the reach, the edge.
    double value(Pair displacement) const;
};

struct Windows {
    std::size_t side = 0;         // px
    std::size_t reach = 0;        // px, less than half a side
    std::ptrdiff_t y = 0, x = 0;  // where the second picture's windows are, from the first's
};

// Band-passed, tapered windows at every half side, in [-1, 1]. Windows without contrast are left
// out.
std::vector<LocalCorrelation> correlate(const std::vector<float>& first,
                                        const std::vector<float>& second, Shape shape,
                                        const Windows& windows, unsigned threads);

// The displacement in whole pixels at which the pictures as a whole correlate best.
void correlate_whole(const std::vector<float>& first, const std::vector<float>& second, Shape shape,
                     Shape reach, Windows& windows, unsigned threads);

}  // namespace stemzoo::scan
