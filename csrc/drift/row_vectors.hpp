// Vectors of pixels and frequencies, for the inner loops of the drift kernels. Compiled once for
// each instruction set, like core/lanes.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/lanes.hpp"
#include "drift/kernels.hpp"
#include "drift/passband.hpp"

namespace stemzoo::STEMZOO_ISA {
namespace {

constexpr std::size_t L = lanes<float>;
using V = Vector<float, L>;
static_assert(L <= drift::overread);

inline V load(const float* from) { return stemzoo::STEMZOO_ISA::load<float, L>(from); }
inline V at_least(V v, float least) {
    const V limit = V{} + least;
    return v > limit ? v : limit;
}

inline double sum(V v) {
    double part[L];
    for (std::size_t i = 0; i < L; ++i) part[i] = static_cast<double>(v[i]);
    for (std::size_t half = L / 2; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) part[i] += part[i + half];
    }
    return part[0];
}

// f1 and f2 are the differences of the neighbours one and two pixels away.
inline V gradient(V f1, V f2) { return f1 * (2.0f / 3.0f) - f2 * (1.0f / 12.0f); }
inline V gradient_y(const float* t, std::ptrdiff_t pitch) {
    return gradient(load(t + pitch) - load(t - pitch), load(t + 2 * pitch) - load(t - 2 * pitch));
}
inline V gradient_x(const float* t) {
    return gradient(load(t + 1) - load(t - 1), load(t + 2) - load(t - 2));
}

// Of refinement: 1, T, dT/dy or dT/dx over the variance of the residual; `u` is one over that.
inline V instrument(std::size_t which, V u, V t, const float* scene, std::ptrdiff_t pitch) {
    if (which == 0) return u;
    if (which == 1) return u * t;
    return u * (which == 2 ? gradient_y(scene, pitch) : gradient_x(scene));
}

template <typename T>
T band(const drift::BandRow& r, T x2, T along) {
    return drift::passband(x2, r.y2, along, r.down, r.slow2);
}

// One part, real or imaginary, of half a number less a quarter of its turned neighbours.
template <typename T>
T hann(T here, T before, T after, T crossed, float turn_re, float turn_im) {
    return here * 0.5f - ((before + after) * turn_re + crossed * turn_im) * 0.25f;
}

// asinh(x) = log(1 + u) with u = x + x^2 / (1 + sqrt(1 + x^2)), of x >= 0. The logarithm is that of
// a power of two and of what is left, m, between sqrt(1/2) and sqrt(2): 2 artanh((m - 1) / (m +
// 1)).
inline float asinh_of(float x) {
    const float bounded = std::min(x, 1e18f);  // whose square is finite
    const float u = x + x * (bounded / (1 + std::sqrt(1 + bounded * bounded)));
    const float y = 1 + u, lost = u - (y - 1);
    std::int32_t bits;
    std::memcpy(&bits, &y, sizeof bits);
    const std::int32_t exponent = (bits - 0x3f3504f3) >> 23;  // less those of sqrt(1/2)
    const std::int32_t rest = bits - exponent * (1 << 23);
    float m;
    std::memcpy(&m, &rest, sizeof m);
    const float t = (m - 1) / (m + 1), t2 = t * t;
    const float series = 2.0f / 3 + t2 * (2.0f / 5 + t2 * (2.0f / 7 + t2 * (2.0f / 9)));
    return static_cast<float>(exponent) * 0.693147181f + (2 * t + t * t2 * series + lost / y);
}

}  // namespace
}  // namespace stemzoo::STEMZOO_ISA
