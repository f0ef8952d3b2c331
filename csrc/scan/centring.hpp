// Images as float32 without their typical value: what is left keeps its contrast on any offset.
#pragma once

#include "core/array.hpp"

namespace stemzoo::scan {

// Median of some of the pixels that are finite; 0 without any.
double typical(const AnyView& image);

// Every pixel less the offset, contiguous.
void centre(const AnyView& image, double offset, float* out);

}  // namespace stemzoo::scan
