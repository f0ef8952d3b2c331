#include <algorithm>

#include "tiling/blend_kernel.hpp"
#include "tiling/device_passes.hpp"

namespace stemzoo::cuda {

void blend(const Queue& queue, const DeviceAxis& rows, const DeviceAxis& cols, const float* batch,
           std::size_t first, std::size_t count, double gain, const float* fill,
           const View<float>& out) {
    if (count == 0) return;
    const AxisGrid<std::uint32_t>& down = rows.grid();
    const auto from = static_cast<std::uint32_t>(first);
    const auto to = static_cast<std::uint32_t>(first + count);
    const std::uint32_t begin = down.start(from / cols.grid().windows);
    const std::uint32_t bottom = down.start((to - 1) / cols.grid().windows) + down.tile;
    const std::uint32_t end = std::min(down.image, bottom);
    const Index items{cols.grid().image, blocks_for(end - begin, BlendColumn::rows_each), 1};
    launch(queue, items,
           BlendColumn{rows.weighed(), cols.weighed(), batch, from, to, gain, fill != nullptr,
                       fill != nullptr ? *fill : 0.0f, out, begin, end});
}

}  // namespace stemzoo::cuda
