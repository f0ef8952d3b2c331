// Splitting and blending on a GPU.
#pragma once

#include <memory>

#include "cuda/module.hpp"

namespace stemzoo::cuda {

std::unique_ptr<Tiles> make_tiles(int device, const AxisData& rows, const AxisData& cols);
PixelMoments moments_of(int device, const Frames& image, void* stream);

}  // namespace stemzoo::cuda
