// The core on an emulated GPU, called as the core itself is. Tests that are compiled with
// STEMZOO_TEST_CUDA run on it; the same tests without are those of the CPU.
#pragma once

#include <memory>
#include <vector>

#include "cuda/emulation.hpp"
#include "cuda/module.hpp"
#include "cuda/run_masked.hpp"
#include "ncc/device_correlator.hpp"
#include "ncc/geometry.hpp"
#include "tiling/device_tiles.hpp"
#include "tiling/tiling.hpp"

extern "C" const stemzoo::cuda::Module* stemzoo_cuda_module(const char* version);

namespace cuda_backend {

using namespace stemzoo;

inline constexpr std::size_t working_bytes = std::size_t{1} << 22;

inline void correlate(const AnyView& reference, const AnyView& moving,
                      const ncc::Settings& settings, float* surface) {
    const auto correlator = cuda::make_correlator(
        0, cuda::frames_of(reference), false,
        cuda::correlator_settings(shape_of(reference), settings, working_bytes), nullptr);
    correlator->correlate(cuda::frames_of(moving), false, surface, false, nullptr);
}

inline void correlate_masked(const AnyView& reference, const ncc::Mask* mask, const AnyView& moving,
                             const ncc::Mask* moving_mask, const ncc::Settings& settings,
                             float* surface) {
    const cuda::OnDevice on{*stemzoo_cuda_module(STEMZOO_VERSION), 0, nullptr};
    const cuda::MaskedRun run(on, reference, mask, settings, working_bytes, 1);
    std::vector<ncc::Mask> masks;
    if (moving_mask != nullptr) masks.push_back(*moving_mask);
    run.correlate({moving}, masks, surface, nullptr);
}

inline std::unique_ptr<cuda::Tiles> tiles(const Tiling& tiling) {
    return cuda::make_tiles(0, cuda::axis_data(tiling.rows()), cuda::axis_data(tiling.cols()));
}

}  // namespace cuda_backend
