// Pairs of frames whose noise has a colour (csrc/spectrum), made white for all that follows.
#pragma once

#include <memory>
#include <optional>

#include "drift/prepared_frame.hpp"

namespace stemzoo::drift {

struct WhitePair {
    std::shared_ptr<const PreparedFrame> reference, moving;
};

// Both frames through the filter that makes the noise of the reference white. Nothing where the
// noise of a frame is white, or where both frames show so much in common that the colour is not
// that of noise.
std::optional<WhitePair> whitened(const PreparedFrame& reference, const PreparedFrame& moving,
                                  unsigned threads);

}  // namespace stemzoo::drift
