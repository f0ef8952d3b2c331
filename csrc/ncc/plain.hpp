// Correlation of images without masks, in the precision of T.
#pragma once

#include <memory>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "ncc/overlap.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::ncc {

template <typename T>
class Plain {
  public:
    Plain(const Geometry& geometry, const AnyView& reference, Scaling scaling, unsigned threads);

    // Lags that overlap in fewer than `min_pixels` become 0. Returns false, with the surface
    // unfinished, if so many lags are beyond T's precision that double is the cheaper way.
    bool correlate(const AnyView& reference, const AnyView& moving, Scaling moving_scaling,
                   double min_pixels, float* surface, unsigned threads) const;

  private:
    Geometry geometry_;
    Scaling scaling_;
    std::shared_ptr<const Spectral<T>> spectral_;
    Scratch<T> spectrum_;
    OverlapSums sums_;
};

}  // namespace stemzoo::ncc
