// Correlation over pairs of valid pixels on a GPU, of images of the host: the twin of
// ncc::Reference with masks. The host finds out which pixels are valid, and scales them.
#pragma once

#include <memory>
#include <vector>

#include "cuda/on_device.hpp"
#include "ncc/masked.hpp"

namespace stemzoo::cuda {

class MaskedRun {
  public:
    // A null mask means that every pixel is valid. Throws as ncc::masked_image() does.
    MaskedRun(const OnDevice& on, const AnyView& reference, const ncc::Mask* mask,
              const ncc::Settings& settings, std::size_t working_bytes, unsigned threads);

    Shape surface_shape() const { return geometry_.surface(); }
    std::size_t bytes() const { return correlator_->bytes(); }

    // One surface after the other. `masks` is empty or as long as `frames`.
    void correlate(const std::vector<AnyView>& frames, const std::vector<ncc::Mask>& masks,
                   float* surfaces, void* stream) const;

  private:
    ncc::Geometry geometry_;
    unsigned threads_;
    std::unique_ptr<MaskedCorrelator> correlator_;
};

}  // namespace stemzoo::cuda
