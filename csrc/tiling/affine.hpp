// How a pixel enters a tile: shifted and scaled, and limited where there are hot pixels.
#pragma once

#include "core/portable.hpp"
#include "tiling/statistics.hpp"

namespace stemzoo {

// (x - offset) * scale without the cost of float64 where float32 is as good. The offset is cut into
// high + low: x - high is exact wherever it is small beside x (Sterbenz), so the difference is as
// right as one taken in float64 and rounded. In float64, low is zero.
template <typename Number>
struct Affine {
    Number high, low, scale;

    Affine(double offset, double gain)
        : high(static_cast<Number>(offset)),
          low(static_cast<Number>(offset - static_cast<double>(high))),
          scale(static_cast<Number>(gain)) {}

    template <typename T>
    STEMZOO_ANYWHERE float operator()(T x) const {
        return static_cast<float>((static_cast<Number>(x) - high - low) * scale);
    }
};

// The same of pixels that are first limited. Both ends are what Affine makes of the limits, so that
// no pixel within them changes.
template <typename Number>
struct Clamped {
    Affine<Number> affine;
    float low, high;

    Clamped(const Affine<Number>& map, const Limits& limits)
        : affine(map), low(map(limits.low)), high(map(limits.high)) {
        if (high < low) {
            const float lower = high;
            high = low;
            low = lower;
        }
    }

    template <typename T>
    STEMZOO_ANYWHERE float operator()(T x) const {
        const float y = affine(x);
        return y < low ? low : y > high ? high : y;
    }
};

}  // namespace stemzoo
