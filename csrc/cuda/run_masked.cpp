#include "cuda/run_masked.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "core/parallel.hpp"

namespace stemzoo::cuda {
namespace {

MaskedFrame frame_of(const ncc::DirectImage& image) {
    return {image.pixels.data(), image.valid.data(), image.scaling.offset * image.scaling.scale,
            ncc::masked_norms(image)};
}

}  // namespace

MaskedRun::MaskedRun(const OnDevice& on, const AnyView& reference, const ncc::Mask* mask,
                     const ncc::Settings& settings, std::size_t working_bytes, unsigned threads)
    : geometry_(ncc::make_geometry(shape_of(reference), settings.max_dy, settings.max_dx)),
      threads_(threads) {
    const ncc::DirectImage image = ncc::masked_image(reference, mask, "reference");
    correlator_ = on.module.masked_correlator(
        on.device, frame_of(image), correlator_settings(geometry_.image, settings, working_bytes),
        on.stream);
}

void MaskedRun::correlate(const std::vector<AnyView>& frames, const std::vector<ncc::Mask>& masks,
                          float* surfaces, void* stream) const {
    for (const AnyView& frame : frames) {
        if (shape_of(frame) == geometry_.image) continue;
        throw std::invalid_argument("moving image is " + shape_of(frame).text() +
                                    " pixels but the reference is " + geometry_.image.text() +
                                    "; expected equal shapes");
    }
    const std::size_t at_once = correlator_->at_once(), lags = surface_shape().size();
    for (std::size_t first = 0; first < frames.size(); first += at_once) {
        const std::size_t count = std::min(at_once, frames.size() - first);
        std::vector<ncc::DirectImage> images(count);
        std::vector<MaskedFrame> ready(count);
        parallel_for(count, threads_, 1, [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                images[i] = ncc::masked_image(
                    frames[first + i], masks.empty() ? nullptr : &masks[first + i], "moving image");
                ready[i] = frame_of(images[i]);
            }
        });
        correlator_->correlate(ready, surfaces + first * lags, stream);
    }
}

}  // namespace stemzoo::cuda
