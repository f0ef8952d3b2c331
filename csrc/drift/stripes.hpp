// Stripes: patterns that are the same all along one axis, such as bad columns or the gain of rows.
#pragma once

#include "core/array.hpp"
#include "drift/survey.hpp"

namespace stemzoo::drift {

// Subtracts the mean profile along an axis whose spectrum stands above the noise at most
// frequencies. A crystal's rows give a profile a few sharp frequencies; stripes give it all.
// Whether there were any.
bool subtract_stripes(const View<float>& pixels, const Survey& survey);

}  // namespace stemzoo::drift
