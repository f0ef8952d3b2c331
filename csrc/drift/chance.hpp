// How far two frames correlate that have nothing to do with each other.
#pragma once

#include "drift/frame.hpp"

namespace stemzoo::drift {

// The standard deviation of overlap_correlation at a drift, were the phases of one frame's spectrum
// random: of n pixels of white noise 1 / sqrt(n), and more where both frames have their power in
// the same few frequencies. Unless they have it there as crystals of one lattice do: that is no
// chance. Infinite where nothing overlaps or a frame is constant.
double chance(const Frame& reference, const Frame& moving, double dy, double dx);

// The same from the power that two frames have in common at the same frequencies, and the product
// of their whole powers.
double chance_of(double common_power, double power, Shape shape, double dy, double dx);

}  // namespace stemzoo::drift
