// Hot pixels: they stand still on the detector while the specimen drifts.
#pragma once

#include "core/array.hpp"
#include "drift/survey.hpp"

namespace stemzoo::drift {

// Hot pixels become the median of their neighbours; whether there were any. Beside a very hot one
// no other is seen: ask again.
bool cool(const View<float>& pixels, const Survey& survey);

}  // namespace stemzoo::drift
