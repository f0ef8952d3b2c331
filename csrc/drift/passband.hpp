// The band-pass of drift/bandpass.hpp at one frequency.
#pragma once

#include "core/portable.hpp"

namespace stemzoo::drift {

// A Gaussian low-pass, whose factors along both axes are `along` and `down`, without shading:
// frequencies whose square is not far above `slow2`. `x2` and `y2` are squared frequencies, in
// cycles per pixel.
template <typename T>
STEMZOO_ANYWHERE inline T passband(T x2, float y2, T along, float down, float slow2) {
    const T k2 = x2 + y2;
    return along * down * (k2 / (k2 + slow2));
}

}  // namespace stemzoo::drift
