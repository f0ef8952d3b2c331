// Correlation of frames with a reference on a GPU; the twins of Plain<float> and of Masked.
#pragma once

#include <memory>

#include "cuda/module.hpp"

namespace stemzoo::cuda {

std::unique_ptr<Correlator> make_correlator(int device, const Frames& reference,
                                            bool reference_on_host,
                                            const CorrelatorSettings& settings, void* stream);

std::unique_ptr<MaskedCorrelator> make_masked_correlator(int device, const MaskedFrame& reference,
                                                         const CorrelatorSettings& settings,
                                                         void* stream);

}  // namespace stemzoo::cuda
