#include "tiling/device_passes.hpp"
#include "tiling/split_kernel.hpp"

namespace stemzoo::cuda {
namespace {

template <typename Map>
void run(const Queue& queue, const DeviceAxis& rows, const DeviceAxis& cols, const Frames& image,
         const Map& map, std::size_t first, std::size_t count, float* batch) {
    using Body = SplitColumn<Map>;
    const Index items{cols.grid().tile, blocks_for(rows.grid().tile, Body::rows_each),
                      static_cast<unsigned>(count)};
    launch(queue, items,
           Body{rows.grid(), cols.grid(), image, map, static_cast<std::uint32_t>(first), batch});
}

}  // namespace

void split(const Queue& queue, const DeviceAxis& rows, const DeviceAxis& cols, const Frames& image,
           double offset, double scale, const Limits* limits, std::size_t first, std::size_t count,
           float* batch) {
    const Affine<double> affine(offset, scale);
    if (limits != nullptr) {
        run(queue, rows, cols, image, Clamped<double>(affine, *limits), first, count, batch);
    } else {
        run(queue, rows, cols, image, affine, first, count, batch);
    }
}

}  // namespace stemzoo::cuda
