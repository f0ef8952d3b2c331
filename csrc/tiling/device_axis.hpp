// One axis of a tiling, with its weights in memory of the GPU.
#pragma once

#include "cuda/module.hpp"
#include "cuda/queue.hpp"
#include "tiling/weighed_grid.hpp"

namespace stemzoo::cuda {

class DeviceAxis {
  public:
    DeviceAxis(const Queue& queue, const AxisData& axis)
        : grid_(static_cast<AxisGrid<std::uint32_t>>(axis.grid)),
          profile_(queue, axis.grid.crop ? 0 : axis.grid.tile),
          share_(queue, axis.grid.crop ? 0 : axis.grid.image) {
        queue.copy(profile_.data(), axis.profile, profile_.bytes());
        queue.copy(share_.data(), axis.share, share_.bytes());
    }

    const AxisGrid<std::uint32_t>& grid() const { return grid_; }
    WeighedGrid weighed() const { return {grid_, profile_.data(), share_.data()}; }

  private:
    AxisGrid<std::uint32_t> grid_;
    Buffer<float> profile_, share_;
};

}  // namespace stemzoo::cuda
