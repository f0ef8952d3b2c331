// What a tracker asks about pairs of frames.
#pragma once

#include <memory>
#include <string>

#include "core/array.hpp"
#include "drift/answer.hpp"
#include "drift/candidates.hpp"
#include "drift/prepared_frame.hpp"

namespace stemzoo::drift {

using FramePointer = std::shared_ptr<const PreparedFrame>;

class Comparison {
  public:
    virtual ~Comparison() = default;

    // `masked` may be null; errors call the image `name`.
    virtual FramePointer prepare(const AnyView& image, const MaskView* masked,
                                 const std::string& name) const = 0;
    // The drift between two frames. Where it is expected somewhere, and only one peak lies there,
    // that is the answer, and features are not evaluated.
    virtual Drift compare(const PreparedFrame& reference, const PreparedFrame& moving,
                          const Expectation* expected) const = 0;
    // Pearson's correlation of the overlap once a drift is undone; 0 for blank frames.
    virtual double correlation(const PreparedFrame& reference, const PreparedFrame& moving,
                               const Vector& shift) const = 0;
    // Whether the frames correlate at a drift by more than chance, as they are or without their
    // lattice; `places` is how many whole pixels it was chosen from.
    virtual bool beyond_chance(const PreparedFrame& reference, const PreparedFrame& moving,
                               const Vector& shift, std::size_t places) const = 0;
};

}  // namespace stemzoo::drift
