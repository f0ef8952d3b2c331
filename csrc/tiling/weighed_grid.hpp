// One axis of a tiling in memory of a GPU: where its windows lie and what they weigh.
#pragma once

#include <cstdint>

#include "tiling/axis_grid.hpp"

namespace stemzoo::cuda {

// See Axis::profile.
struct WeighedGrid {
    AxisGrid<std::uint32_t> grid;
    const float* profile;
    const float* share;  // of the pixels of the whole axis
};

}  // namespace stemzoo::cuda
