// What a feature network is given of a frame, at a half or a quarter of its resolution: three
// channels, all in units of the frame's white noise.
//
// Correlation of a crystal is ruled by its Bragg peaks, and they are the same for every drift that
// is a lattice vector longer. So the first channel has the lattice taken out: its waves, and
// wherever the spectrum still stands far above its surroundings at that distance from the centre.
// The second is the lattice, compressed by asinh.
//
// The third is the first times one number, how much its evidence is worth, and without what lies
// between the lattice's columns. Were both frames Gaussian noise of which they share a part, the
// product of two frames' third channels, summed over an overlap, would be the log-odds of that
// drift.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "drift/levels.hpp"

namespace stemzoo::drift {

constexpr std::size_t look_version = 1;   // another number whenever looks are made otherwise
constexpr std::size_t look_multiple = 8;  // px: sides are cut to it
constexpr std::size_t fine_stride = 2, coarse_stride = 4;  // pixels to one of a look

// Rows and columns of a look: of the frame's, cut to multiples of eight. Throws
// std::invalid_argument for other strides.
Shape look_shape(Shape frame, std::size_t stride);

struct LookPlan;  // what all frames of a shape need

class Look {
  public:
    // Throws std::invalid_argument for frames of less than 16 x 16 pixels.
    Look(const View<const float>& pixels, unsigned threads);
    // Of a frame whose sides are multiples of eight: the spectrum of its pixels without their mean,
    // faded out towards the edges (core/taper.hpp).
    Look(Shape frame, Scratch<float> tapered);

    // At which the frame shows all that its lattice has to show.
    std::size_t stride() const;

    // Writes three contiguous channels of look_shape(frame, stride). Only once: the lattice is gone
    // from the spectrum afterwards.
    void channels(std::size_t stride, float* out, unsigned threads);

  private:
    Look(std::shared_ptr<const LookPlan> plan, Scratch<float> spectrum);

    std::shared_ptr<const LookPlan> plan_;
    Scratch<float> spectrum_;
    Heights heights_;
    Levels levels_;
    std::vector<std::size_t> peaks_;
};

}  // namespace stemzoo::drift
