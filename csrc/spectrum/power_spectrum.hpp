// The power of an image at each frequency of a half plane, through a Hann window.
#pragma once

#include <cstddef>

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo::spectrum {

// Rows are frequencies along y, 0 and positive ones before negative ones; columns are frequencies
// along x from 0 to 1/2: the order of numpy.fft.rfft2.
struct HalfPlane {
    explicit HalfPlane(Shape of_image);

    Shape image, shape;
    Scratch<float> power;

    const float* row(std::size_t y) const { return power.data() + y * shape.cols; }
    float* row(std::size_t y) { return power.data() + y * shape.cols; }
};

// In cycles per pixel, of the place `index` in that order.
double frequency(std::size_t index, std::size_t side);

// Of contiguous pixels. threads = 0 means all cores.
HalfPlane power_spectrum(const float* pixels, Shape image, unsigned threads);

}  // namespace stemzoo::spectrum
