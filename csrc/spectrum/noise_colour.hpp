// The colour of a frame's noise: its power spectrum. Afterglow, smoothing and resampling take from
// the high frequencies, and correlate the noise of neighbouring pixels.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "spectrum/whiteness.hpp"

namespace stemzoo::spectrum {

// Medians over cells of frequencies leave out Bragg peaks. Below `specimen_to` a specimen without a
// lattice has its power too: there the colour is extrapolated from higher frequencies, as of a
// filter along y times one along x.
class NoiseColour {
  public:
    static constexpr std::size_t cells = 14;  // along an axis
    // Cycles per pixel; either sign of a frequency is in the same cell.
    static constexpr std::array<double, cells + 1> edges{
        0, 0.02, 0.045, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36, 0.4, 0.44, 0.48, 0.5};
    static constexpr double specimen_to = 0.16, known_to = 0.28;

    // Of contiguous pixels, which are finite. threads = 0 means all cores.
    NoiseColour(const float* pixels, Shape shape, unsigned threads);

    Shape shape() const { return shape_; }
    const Contrast& contrast() const { return contrast_; }
    // log(variance of a pixel, were the noise white at that level), cell by cell, fy first.
    const std::array<double, cells * cells>& log_power() const { return log_power_; }
    // Of one row of frequencies, interpolated between the middles of cells; fx is along the row.
    // Frequencies are in cycles per pixel, and at least 0.
    std::vector<float> power(double fy, const std::vector<double>& fx) const;
    double highest() const;

    // Correlation of the power of single frequencies of two frames, where their noise is strongest
    // beside it: 0 where it is noise, 1 where both show the same scene and nothing else.
    double in_common(const NoiseColour& other) const;
    // Correlation of the power of neighbouring frequencies there: 0 of noise, which fills the
    // frame, and more between the Bragg peaks of a frame without noise.
    double smoothness() const;

  private:
    template <typename F>
    double median_over_cells(F of_cell) const;
    void extrapolate();

    Shape shape_;
    Contrast contrast_;
    std::array<double, cells * cells> log_power_{};
    // log(power) of all frequencies, cell after cell.
    Scratch<float> logs_;
    std::array<std::size_t, cells * cells + 1> begin_{};
};

}  // namespace stemzoo::spectrum
