// Windows cut from an image and put together again, on a GPU; see Tiling.
#pragma once

#include "tiling/device_axis.hpp"

namespace stemzoo::cuda {

void split(const Queue& queue, const DeviceAxis& rows, const DeviceAxis& cols, const Frames& image,
           double offset, double scale, const Limits* limits, std::size_t first, std::size_t count,
           float* batch);

void blend(const Queue& queue, const DeviceAxis& rows, const DeviceAxis& cols, const float* batch,
           std::size_t first, std::size_t count, double gain, const float* fill,
           const View<float>& out);

}  // namespace stemzoo::cuda
