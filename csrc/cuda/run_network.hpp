// One image through a network on a GPU: the twin of inference/run_network.hpp. Image, tiles,
// answers and result stay in memory of the device.
#pragma once

#include "cuda/on_device.hpp"
#include "inference/run_network.hpp"

namespace stemzoo::cuda {

// Hot pixels are rare: an image that may have some is measured on the host.
Statistics measure(const OnDevice& on, const Frames& image);

// `network` is given and gives pointers to memory of the device. Of the options, the mask is
// ignored: masked pixels are filled before the image is copied to the device.
inference::Normalised run_network(const OnDevice& on, const Frames& image, const Tiling& tiling,
                                  const inference::Network& network, const View<float>& out,
                                  const inference::Options& options);

}  // namespace stemzoo::cuda
