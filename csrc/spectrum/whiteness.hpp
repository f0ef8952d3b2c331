// Whether the noise of a frame is white, from its highest frequencies, where a specimen shows
// nothing.
#pragma once

#include <array>
#include <cstddef>

#include "core/fft2d.hpp"

namespace stemzoo::spectrum {

// The logarithm of the noise's power at medium frequencies over that at high ones, along each axis,
// and the largest that white noise reaches.
struct Contrast {
    double y = 0, x = 0, limit = 0;

    bool coloured() const;
};

// A patch of frequencies and its mirror image, of which every so many rows are enough.
struct Patch {
    std::size_t row, row_step, rows;  // the first, from one to the next, and how many
    std::size_t cols, left, right;    // columns of each, and where they begin

    std::size_t count() const { return 2 * rows * cols; }
    // Of its numbers, every so many are enough for a median.
    std::size_t rough_step() const { return 1 + count() / 64; }
};

// Of a frame large enough: medium and high frequencies along y, and along x.
std::array<Patch, 4> contrast_patches(Shape image);

// The limits of power between which logarithms count: times the median of some, and at least.
constexpr float most_power = 16, least_power = 1e-30f;

// From the means of the logarithm of the power in each patch.
Contrast contrast(Shape image, const std::array<double, 4>& log_powers);

// `spectrum` is that of a frame faded out towards its edges (core/taper.hpp). Of a frame too small
// to tell, zero.
Contrast contrast(const SpectrumLayout& layout, const float* spectrum);

}  // namespace stemzoo::spectrum
