// How much overlap is evidence.
#pragma once

#include <stdexcept>
#include <string>

#include "core/array.hpp"
#include "core/number_text.hpp"

namespace stemzoo::ncc {

// How many pixels must overlap for a lag to have a value. Throws std::invalid_argument for what is
// no fraction.
inline double least_pixels(double min_overlap, Shape image) {
    if (!(min_overlap > 0 && min_overlap <= 1)) {
        throw std::invalid_argument("min_overlap is " + number_text(min_overlap) +
                                    "; expected a fraction of the image, above 0 and at most 1");
    }
    // Rounding of the product must not exclude a lag that has exactly the fraction asked for.
    return min_overlap * static_cast<double>(image.size()) * (1 - 1e-12);
}

}  // namespace stemzoo::ncc
