#include <stdexcept>

#include "tiling/device_passes.hpp"
#include "tiling/device_tiles.hpp"

namespace stemzoo::cuda {
namespace {

class DeviceTiles final : public Tiles {
  public:
    DeviceTiles(const Queue& queue, const AxisData& rows, const AxisData& cols)
        : device_(queue.device()), rows_(queue, rows), cols_(queue, cols) {
        queue.wait();
    }

    void split(const Frames& image, double offset, double scale, const Limits* limits,
               std::size_t first, std::size_t count, float* batch, void* stream) const override {
        const Queue queue(device_, stream);
        cuda::split(queue, rows_, cols_, image, offset, scale, limits, first, count, batch);
        queue.wait();
    }

    void blend(const float* batch, std::size_t first, std::size_t count, double gain,
               const float* fill, const View<float>& out, void* stream) const override {
        const Queue queue(device_, stream);
        cuda::blend(queue, rows_, cols_, batch, first, count, gain, fill, out);
        queue.wait();
    }

  private:
    int device_;
    DeviceAxis rows_, cols_;
};

// Sums of two positions stay within 32 bits.
void require_short(const AxisData& axis) {
    constexpr std::size_t longest = std::size_t{1} << 30;
    if (axis.grid.padded > longest || axis.grid.windows > longest) {
        throw std::invalid_argument("a side of " + std::to_string(axis.grid.padded) +
                                    " pixels is too long for a GPU; expected at most " +
                                    std::to_string(longest));
    }
}

}  // namespace

std::unique_ptr<Tiles> make_tiles(int device, const AxisData& rows, const AxisData& cols) {
    require_short(rows);
    require_short(cols);
    const Queue queue(device, nullptr);
    return std::make_unique<DeviceTiles>(queue, rows, cols);
}

}  // namespace stemzoo::cuda
