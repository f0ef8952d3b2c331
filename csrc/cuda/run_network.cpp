#include "cuda/run_network.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/host_view.hpp"
#include "inference/canvas.hpp"

namespace stemzoo::cuda {
namespace {

using inference::Normalised;

// Memory that is kept when it is given back: the next image finds its tiles at the same addresses,
// which is what bound buffers and CUDA graphs are made for.
class KeptMemory {
  public:
    float* take(const OnDevice& on, std::size_t count) {
        const Key key{on.device, count};
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (const auto found = kept_.find(key); found != kept_.end()) {
                float* const memory = found->second;
                kept_.erase(found);
                return memory;
            }
        }
        return static_cast<float*>(on.module.allocate(on.device, count * sizeof(float)));
    }

    void give(const Module& module, int device, std::size_t count, float* memory) noexcept {
        constexpr std::size_t most = 8;
        const std::lock_guard<std::mutex> lock(mutex_);
        if (kept_.size() >= most) {
            module.release(kept_.begin()->first.first, kept_.begin()->second);
            kept_.erase(kept_.begin());
        }
        kept_.emplace(Key{device, count}, memory);
    }

  private:
    using Key = std::pair<int, std::size_t>;  // device, numbers
    std::mutex mutex_;
    std::multimap<Key, float*> kept_;
};

// Never destroyed: at the end of the process the driver may be gone before it.
KeptMemory& kept_memory() {
    static KeptMemory* const instance = new KeptMemory;
    return *instance;
}

std::shared_ptr<float> memory_on(const OnDevice& on, std::size_t count) {
    const Module* const module = &on.module;
    const int device = on.device;
    return {kept_memory().take(on, count), [module, device, count](float* held) {
                kept_memory().give(*module, device, count, held);
            }};
}

class DeviceCanvas final : public inference::Canvas {
  public:
    DeviceCanvas(const OnDevice& on, const Frames& image, const Tiling& tiling,
                 const View<float>& out)
        : on_(on),
          image_(image),
          out_(out),
          tile_(tiling.tile()),
          tiles_(on.module.tiles(on.device, axis_data(tiling.rows()), axis_data(tiling.cols()))) {}

    Statistics measure() override { return cuda::measure(on_, image_); }
    double largest() override {
        const PixelMoments all = on_.module.moments(on_.device, image_, on_.stream);
        return std::max(std::abs(all.low), std::abs(all.high));
    }
    bool finite() override {
        const Frames result{out_.data,       PixelType::f32, 1, out_.shape, 0,
                            out_.row_stride, out_.col_stride};
        return on_.module.moments(on_.device, result, on_.stream).finite;
    }
    bool whole_batches() const override { return true; }

    inference::Batch new_batch(std::size_t count) override {
        return {memory_on(on_, count * tile_.size()), count, tile_};
    }
    void split(const Normalised& by, std::size_t first, std::size_t count, float* batch) override {
        const double scale = by.std > 0 ? 1 / by.std : 0.0;
        const Limits* const limits = by.limits ? &*by.limits : nullptr;
        tiles_->split(image_, by.mean, scale, limits, first, count, batch, on_.stream);
    }
    void blend(const Normalised& by, std::size_t first, std::size_t count,
               const float* answers) override {
        const auto fill = static_cast<float>(by.mean);
        tiles_->blend(answers, first, count, by.std, &fill, out_, on_.stream);
    }

  private:
    OnDevice on_;
    Frames image_;
    View<float> out_;
    Shape tile_;
    std::unique_ptr<Tiles> tiles_;
};

Statistics measured_on_host(const OnDevice& on, const Frames& image) {
    const std::size_t bytes = image.shape.size() * image.pixel_bytes();
    const auto packed = memory_on(on, (bytes + sizeof(float) - 1) / sizeof(float));
    on.module.pack(on.device, image, packed.get(), on.stream);
    std::vector<double> pixels((bytes + sizeof(double) - 1) / sizeof(double));
    on.module.copy(on.device, pixels.data(), packed.get(), bytes, on.stream);
    return stemzoo::measure(host_view(image.packed(pixels.data())), 0);
}

}  // namespace

Statistics measure(const OnDevice& on, const Frames& image) {
    const PixelMoments all = on.module.moments(on.device, image, on.stream);
    const double farthest = std::max(all.mean - all.low, all.high - all.mean);
    if (all.finite && may_have_hot_pixels(image.shape.size(), all.std, farthest)) {
        return measured_on_host(on, image);
    }
    return {all.mean, all.std, all.finite, std::nullopt};
}

inference::Normalised run_network(const OnDevice& on, const Frames& image, const Tiling& tiling,
                                  const inference::Network& network, const View<float>& out,
                                  const inference::Options& options) {
    inference::NetworkRun run(std::make_unique<DeviceCanvas>(on, image, tiling, out), tiling,
                              options.normalisation);
    return inference::run(run, network, options.progress);
}

}  // namespace stemzoo::cuda
