// A drift that a broad peak tells badly, approached on frames shrunk by averaging.
//
// Edges have no sharp peak: the highest correlation may lie some pixels from the drift, farther
// than refinement on the counts reaches. On a frame shrunk to a quarter that is one or two.
#pragma once

#include "drift/answer.hpp"
#include "drift/cleaning.hpp"

namespace stemzoo::drift {

constexpr std::size_t least_side = 16;  // px of a frame that can be refined

// Near enough to the drift to be refined, if `start` is within some six pixels of it.
Vector coarse_approach(const CleanFrame& reference, const CleanFrame& moving, const Vector& start,
                       unsigned threads);

}  // namespace stemzoo::drift
