// What the counts of each row say alone, from its fit to a pilot.
#pragma once

#include <vector>

#include "scan/displacement_prior.hpp"
#include "scan/row_likelihood.hpp"

namespace stemzoo::scan {

// The likelihood of one axis is Gaussian about one scoring step from where the row was left. Rows
// beyond the limit say nothing, and those that fit the pilot worse than noise explains say less.
// `precision` is that of the prior of the other axis, 1 / px^2.
void row_estimates(const std::vector<RowFit>& fits, Pair precision, Pair limit, RowEstimates& y,
                   RowEstimates& x);

}  // namespace stemzoo::scan
