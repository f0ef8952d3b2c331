// What an image is split from and blended into: in memory of the host, or of a GPU.
#pragma once

#include <cstddef>

#include "inference/run_network.hpp"

namespace stemzoo::inference {

class Canvas {
  public:
    virtual ~Canvas() = default;

    virtual Statistics measure() = 0;  // of the image
    virtual double largest() = 0;      // magnitude of its pixels
    virtual bool finite() = 0;         // all of the result

    // Whether the network is always given as many tiles as fit a batch: the last ones, which are
    // too few, are followed by others, whose answers nobody reads. A GPU is set up for each shape
    // anew.
    virtual bool whole_batches() const = 0;
    // Memory for so many tiles, where the network reads it.
    virtual Batch new_batch(std::size_t count) = 0;
    virtual void split(const Normalised& by, std::size_t first, std::size_t count,
                       float* batch) = 0;
    // In order, from the first tile to the last.
    virtual void blend(const Normalised& by, std::size_t first, std::size_t count,
                       const float* answers) = 0;
};

}  // namespace stemzoo::inference
