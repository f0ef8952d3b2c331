// Columns too close to be seen one by one, told by their Bragg peaks.
#pragma once

#include <vector>

#include "survey/bragg_peaks.hpp"

namespace stemzoo::survey {

// Distance in px of such columns; NaN of others. Columns less than 3 px apart have Bragg peaks up
// to the Nyquist frequency, and none of a long period unless they form groups: of those, the
// Patterson function tells the distance.
double close_spacing(const std::vector<BraggPeak>& peaks);

}  // namespace stemzoo::survey
