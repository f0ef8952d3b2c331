// Correlation over pairs of valid pixels only (Padfield 2012), in float64 throughout.
#pragma once

#include <memory>

#include "core/array.hpp"
#include "core/scratch.hpp"
#include "ncc/direct.hpp"
#include "ncc/masked_lag.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo::ncc {

using Mask = View<const std::uint8_t>;

// A null mask means that every pixel is valid. Throws std::invalid_argument, naming the image as
// `what`, if a valid pixel is not finite or the shapes differ. Masked pixels are never read.
DirectImage masked_image(const AnyView& image, const Mask* mask, const char* what);

MaskedNorms masked_norms(const DirectImage& image);

class Masked {
  public:
    Masked(const Geometry& geometry, DirectImage reference, unsigned threads);

    void correlate(const DirectImage& moving, double min_pixels, float* surface,
                   unsigned threads) const;

  private:
    Geometry geometry_;
    DirectImage reference_;
    std::shared_ptr<const Spectral<double>> spectral_;
    Scratch<double> valid_, pixels_, squares_;  // spectra
};

}  // namespace stemzoo::ncc
