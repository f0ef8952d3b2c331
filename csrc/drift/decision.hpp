// Whether a drift may be trusted: better than chance, within the search range, and no other
// candidate left.
#pragma once

#include <cstddef>

#include "core/array.hpp"
#include "drift/answer.hpp"

namespace stemzoo::drift {

// Unambiguous: posterior >= sure_posterior, and the frames' own log-likelihood ratio (without the
// prior) >= sure_evidence. That a drift is the shortest possible is no evidence.
constexpr double sure_posterior = 0.93, sure_evidence = 1.75;

// Whether frames correlate better than unrelated ones do at the best of so many places. `chance` is
// the standard deviation of their correlation at one (drift/chance.hpp); 1 / chance^2 is also how
// many values of it are independent: few, where few frequencies have all the power.
bool beyond_chance(double score, double chance, std::size_t places);

// Whether a drift lies within half a pixel of the limit of the search.
bool at_limit(const Vector& shift, const Vector& reach);

}  // namespace stemzoo::drift
