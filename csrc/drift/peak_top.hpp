// Where exactly a peak of the correlation of two frames is highest.
#pragma once

#include <optional>

#include "drift/answer.hpp"
#include "drift/frame.hpp"

namespace stemzoo::drift {

// By one step of Newton's method on the spectra of the band-passed frames, from where the parabola
// through the nearest pixels is highest; nothing if the correlation is no peak, or one that is
// highest farther away than such a parabola may err. Frames fade out towards their edges, so
// that the correlation falls with the drift, and its peaks lie too near zero: that is taken out.
std::optional<Vector> peak_top(const Frame& reference, const Frame& moving, const Vector& parabola);

}  // namespace stemzoo::drift
