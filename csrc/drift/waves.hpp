// Takes a lattice's waves out of the spectrum of a tapered frame.
//
// A Bragg peak there is the taper's own transform, centred between the frequencies of the spectrum
// and wide: its feet bury what faults scatter far around it. Found to a fraction of a frequency and
// subtracted, it takes its feet along and leaves what was under it.
#pragma once

#include <cstddef>
#include <vector>

#include "core/array.hpp"
#include "core/fft2d.hpp"

namespace stemzoo::drift {

// The transform of a taper along one axis, turned until it is real: as if the taper's middle were
// the origin.
class TaperTransform {
  public:
    static constexpr std::size_t farthest = 48;  // frequencies from its centre

    explicit TaperTransform(const std::vector<float>& taper);

    struct Point {
        float value, slope;
    };
    // At up to farthest + 1 frequencies from its centre.
    Point at(float away) const;
    // How many frequencies away it has become smaller than `least`, and stays so.
    std::size_t reach(float least) const;
    // What turns it back, `away` whole frequencies from its centre.
    float turn_re(std::ptrdiff_t away) const { return turn_re_[index(away)]; }
    float turn_im(std::ptrdiff_t away) const { return turn_im_[index(away)]; }

  private:
    static std::size_t index(std::ptrdiff_t away) {
        return static_cast<std::size_t>(away + static_cast<std::ptrdiff_t>(farthest));
    }

    std::size_t most_;  // of `farthest`, what the spectrum has room for
    std::vector<Point> fine_;
    std::vector<float> turn_re_, turn_im_, largest_beyond_;
};

// `peaks` are where waves are strongest, as row * cols + column of the layout, the strongest first;
// of two that are mirror images, one. What is left of a wave far away may be `least` high.
void subtract_waves(const SpectrumLayout& layout, const TaperTransform& down,
                    const TaperTransform& across, const std::vector<std::size_t>& peaks,
                    float least, float* spectrum);

}  // namespace stemzoo::drift
