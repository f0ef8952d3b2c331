// What takes the place of invalid pixels.
#pragma once

#include "core/array.hpp"
#include "drift/missing.hpp"

namespace stemzoo::drift {

// Invalid pixels become 0 and the mean of the others 0, which is no feature to follow. Whole
// invalid lines between valid ones become the mean of their neighbours, which leaves no edge.
void fill(const View<float>& pixels, const Flags& invalid);

}  // namespace stemzoo::drift
