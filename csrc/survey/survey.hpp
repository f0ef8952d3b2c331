// What kind of picture a frame is: its noise, its dose, and how far apart its columns are.
#pragma once

#include <cstddef>
#include <limits>

#include "core/array.hpp"
#include "survey/noise_model.hpp"

namespace stemzoo::survey {

// A frame and its clean estimate, measured. Lengths in px, doses in electrons per pixel.
struct Survey {
    NoiseModel noise;
    // At the brightest columns; NaN where the noise says nothing of it. Per independent pixel there
    // are more in a frame that was enlarged.
    double dose = std::numeric_limits<double>::quiet_NaN(), independent_dose = dose;
    // Median distance of a column to the nearest; NaN where none were found.
    double spacing = std::numeric_limits<double>::quiet_NaN();
    std::size_t columns = 0;  // that stand out in the clean estimate
    std::size_t peaks = 0;    // Bragg peaks in the frame
    bool atoms = false;       // whether it shows an ordered arrangement of columns
};

// Of a frame and its clean estimate, both contiguous and finite. threads = 0 means all cores.
Survey survey(const float* raw, const float* clean, Shape shape, unsigned threads);

}  // namespace stemzoo::survey
