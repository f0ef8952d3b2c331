// Normalised cross-correlation of images, by their overlap at each lag.
//
// With a reference A and a moving image B of equal shape, the value at lag d = (dy, dx) is
// Pearson's correlation of A(r) and B(r + d) over every r for which both exist: each overlap has
// its own means and variances (Lewis 1995; with masks, over pairs of valid pixels: Padfield 2012).
// A peak at d says moving(r) = reference(r - d): features moved by d.
//
// The surface has (2 max_dy + 1) x (2 max_dx + 1) values, zero shift in the middle: lag (dy, dx) at
// [max_dy + dy, max_dx + dx]. Each value lies in [-1, 1], within 1e-4 of a direct float64
// evaluation of the definition, and does not depend on the number of threads. It is 0 where there
// is no evidence: less overlap than asked for, one pixel, or a side that is constant there. Hot
// pixels correlate as they are defined to; mask them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/array.hpp"
#include "ncc/masked.hpp"

namespace stemzoo::ncc {

struct Settings {
    std::size_t max_dy = 0, max_dx = 0;  // less than the image's rows, columns
    double min_overlap = 0.25;           // in (0, 1], of the image's pixels; less overlap gives 0
};

// A reference image transformed once, to be correlated with many. Immutable: threads may share it.
// Wrong arguments throw std::invalid_argument. `threads` = 0 means all cores.
class Reference {
  public:
    // Lags without enough contrast for a transform are recomputed from the pixels, so these must
    // last: copied, or borrowed from a caller who keeps them alive and unchanged.
    enum class Pixels { copy, borrow };

    Reference(const AnyView& image, const Settings& settings, const Mask* mask = nullptr,
              unsigned threads = 0, Pixels pixels = Pixels::copy);
    ~Reference();
    Reference(Reference&&) noexcept;
    Reference& operator=(Reference&&) noexcept;

    Shape image_shape() const;
    Shape surface_shape() const;

    void correlate(const AnyView& moving, const Mask* mask, float* surface,
                   unsigned threads = 0) const;

    // Writes one surface after the other. Threads take whole frames. `masks` is empty or as long
    // as `moving`.
    void correlate(const std::vector<AnyView>& moving, const std::vector<Mask>& masks,
                   float* surfaces, unsigned threads = 0) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stemzoo::ncc
