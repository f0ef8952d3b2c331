// An image of any strides, copied on the GPU to where its pixels lie one after another.
#pragma once

#include "cuda/frames.hpp"
#include "cuda/queue.hpp"

namespace stemzoo::cuda {

void pack(const Queue& queue, const Frames& image, void* packed);

}  // namespace stemzoo::cuda
