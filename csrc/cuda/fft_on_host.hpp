// Transforms on the host, in float64 and as plainly as they can be written: what the tests run
// where there is no GPU.
#pragma once

#include "cuda/fft.hpp"

namespace stemzoo::cuda {

void transform_on_host(const FftLayout& layout, const void* in, void* out);

}  // namespace stemzoo::cuda
