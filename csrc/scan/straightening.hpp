// Row jitter taken out of a scan, pass by pass: the likelihood of the counts given a pilot places
// the rows, and the straightened image gives a better pilot. The network that makes pilots is the
// host's.
#pragma once

#include <cstddef>
#include <vector>

#include "core/array.hpp"
#include "scan/damping.hpp"
#include "scan/find_rows.hpp"

namespace stemzoo::scan {

// Settings of `restore`, the same in Python and in the browser.
inline constexpr std::size_t restoring_passes = 4;
inline constexpr Reach restoring_reach{0, 5};  // px
inline constexpr Reach axis_reach{0, 7};       // px: that the fast direction is judged by
inline constexpr std::size_t least_side = 40;  // px: in smaller frames rows are not looked for

// Rows have moved if the first displacements show it. Later pilots are made from straightened rows
// and agree with whatever displaced these, so they tell nothing.
//
// The log-likelihood ratio per row: with 1 px of jitter, specimens have 0.7 or more, and without
// jitter up to 0.5, unless noise is weak.
inline constexpr double moved_evidence = 0.7;
// What rows have in common of it. Errors of the pilot and hot pixels displace few rows, but far.
inline constexpr double moved_common_evidence = 0.4;
// Below this noise, at peaks above some 200 electrons, errors of the pilot are what is left. They
// displace neighbouring rows alike, which jitter hardly does: in still frames of specimens, such
// displacements have up to 1.08.
inline constexpr double weak_noise = 0.04;
inline constexpr double moved_alike_evidence = 1.1;

struct StraighteningOptions {
    std::size_t passes = restoring_passes;
    RowOptions rows{restoring_reach};
};

// The straightening of one image whose fast direction is x, for a host whose network does not
// answer within a call:
//
//     while (const float* image = scan.next()) scan.take(pilot(image));
//
// Displacements across rows, if the reach allows any, are only found in the last pass: with a pilot
// that keeps jitter along rows, displacements across them are found where there are none. Unless
// the first pass shows that rows have moved, it is the only one, and they stay.
class Straightening {
  public:
    // Pixels that are not finite say nothing. Throws std::invalid_argument without a pass.
    Straightening(const AnyView& image, const StraighteningOptions& options);

    // The image whose pilot is wanted, without holes and in its own units; null after the last.
    const float* next();
    // The clean estimate of that. Throws as find_rows does.
    void take(const AnyView& pilot);

    const Rows& rows() const { return rows_; }
    bool moved() const { return moved_; }
    Shape shape() const { return shape_; }
    // The image with its rows in place; it still has its noise, and its holes.
    void result(float* out) const;

  private:
    Rows found(const float* pilot, Reach reach) const;
    void change(const Rows& found);

    Shape shape_;
    StraighteningOptions options_;
    double offset_;
    std::size_t pass_ = 0;
    bool moved_ = false, settled_ = false, done_ = false;
    Rows rows_;
    Damping across_, along_;
    std::vector<float> pixels_, image_, pilot_;  // without the offset, but image_
};

}  // namespace stemzoo::scan
