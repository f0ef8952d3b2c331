// Pixels of a frame that carry no information: masked ones, and borders of NaN as aligned images
// have them.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/array.hpp"

namespace stemzoo::drift {

using Flags = std::vector<std::uint8_t>;    // row by row; empty: none is set
using MaskView = View<const std::uint8_t>;  // nonzero where a pixel is masked out

// A frame holds NaN or infinity elsewhere than at its border: the caller may mask those pixels.
class NotFinite : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

// The sum of all pixels, in float64.
double pixel_sum(const AnyView& image);

// Which pixels are masked or belong to a border of NaN. `sum` is that of all pixels. Throws
// std::invalid_argument, which calls the image `name`, where nothing is left to correlate.
Flags missing_pixels(const AnyView& image, const MaskView* masked, double sum,
                     const std::string& name);

}  // namespace stemzoo::drift
