// Correlation of frames with a reference on a GPU; the twin of Plain<float>.
#pragma once

#include <memory>

#include "cuda/module.hpp"

namespace stemzoo::cuda {

std::unique_ptr<Correlator> make_correlator(int device, const Frames& reference,
                                            bool reference_on_host,
                                            const CorrelatorSettings& settings, void* stream);

}  // namespace stemzoo::cuda
