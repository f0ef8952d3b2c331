// The Bragg peaks of a frame's spectrum: where they are, and what is left without them.
#pragma once

#include <cstddef>
#include <vector>

#include "core/fft2d.hpp"
#include "drift/levels.hpp"
#include "drift/rings.hpp"

namespace stemzoo::drift {

// Times the level of its ring: what stands higher is a lattice's.
constexpr float standing_out = 3.5f;

// Where the spectrum stands far above its ring and highest nearby, as row * cols + column of the
// layout; the highest first, and of mirror images one.
std::vector<std::size_t> bragg_peaks(const SpectrumLayout& layout, const Rings& rings,
                                     const Levels& levels, const Heights& heights);

// How fine the lattice of these peaks is: the root mean square of their frequencies, weighted by
// their power, in cycles per pixel. 0 where there are none.
double fineness(const SpectrumLayout& layout, const std::vector<std::size_t>& peaks,
                const Heights& heights);

// Clears what still stands far above its ring, and what is near it. Heights are 0 there.
void clear_bragg(const SpectrumLayout& layout, const Rings& rings, const Levels& levels,
                 const Heights& heights, float* spectrum);

}  // namespace stemzoo::drift
