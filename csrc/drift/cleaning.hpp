// A frame made fit for correlation.
//
// Missing pixels, dead lines, hot pixels and stripes stand still on the detector while the specimen
// drifts. Left in, each of them is evidence for a drift of zero.
#pragma once

#include <string>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "drift/missing.hpp"
#include "drift/survey.hpp"

namespace stemzoo::drift {

struct CleanFrame {
    // As soon as the pixels are final.
    void measure(const Survey& survey);

    Shape shape;
    Scratch<float> pixels;  // near a mean of zero
    Flags invalid;          // missing pixels and dead lines
    // Missing pixels only: what replaces a dead line is near the truth, so features may read it.
    Flags missing;
    PixelStatistics statistics{};

    CleanFrame copy() const;
    View<const float> view() const { return contiguous<const float>(pixels.data(), shape); }
};

// Whether there is anything to correlate: it is neither blank nor too small.
bool shows_something(const CleanFrame& frame);

// No unit and no offset matters: the mean is subtracted as exactly as the pixels are given, and
// values that float32 cannot square are scaled. Throws as missing_pixels does.
CleanFrame clean(const AnyView& image, const MaskView* masked, const std::string& name);

}  // namespace stemzoo::drift
