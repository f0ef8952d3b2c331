#include "cuda/module.hpp"

#include <cstring>

#include "cuda/devices.hpp"
#include "cuda/fft.hpp"
#include "cuda/pack.hpp"
#include "cuda/queue.hpp"
#include "drift/device_pairs.hpp"
#include "ncc/device_correlator.hpp"
#include "tiling/device_tiles.hpp"

#if defined(_WIN32)
#define STEMZOO_EXPORT extern "C" __declspec(dllexport)
#else
#define STEMZOO_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace stemzoo::cuda {
namespace {

class OpenedModule final : public Module {
  public:
    int devices(std::string& reason) const override {
        const int count = count_devices(reason);
        if (count > 0 && *no_fft() != '\0') reason = no_fft();
        return reason.empty() ? count : 0;
    }
    DeviceInfo describe(int device) const override { return describe_device(device); }
    bool emulated() const override { return devices_are_emulated(); }

    void* allocate(int device, std::size_t bytes) const override {
        const Queue queue(device, nullptr);
        return cuda::allocate(Memory::device, bytes);
    }
    void release(int device, void* memory) const noexcept override {
        cuda::release(Memory::device, device, memory);
    }
    void copy(int device, void* to, const void* from, std::size_t bytes,
              void* stream) const override {
        const Queue queue(device, stream);
        queue.copy(to, from, bytes);
        queue.wait();
    }
    void wait(int device, void* stream) const override { Queue(device, stream).wait(); }

    void pack(int device, const Frames& image, void* packed, void* stream) const override {
        const Queue queue(device, stream);
        cuda::pack(queue, image, packed);
        queue.wait();
    }
    int device_of(const void* memory) const override { return device_of_memory(memory); }

    PixelMoments moments(int device, const Frames& image, void* stream) const override {
        return moments_of(device, image, stream);
    }
    std::unique_ptr<Tiles> tiles(int device, const AxisData& rows,
                                 const AxisData& cols) const override {
        return make_tiles(device, rows, cols);
    }
    std::unique_ptr<Correlator> correlator(int device, const Frames& reference,
                                           bool reference_on_host,
                                           const CorrelatorSettings& settings,
                                           void* stream) const override {
        return make_correlator(device, reference, reference_on_host, settings, stream);
    }
    std::unique_ptr<MaskedCorrelator> masked_correlator(int device, const MaskedFrame& reference,
                                                        const CorrelatorSettings& settings,
                                                        void* stream) const override {
        return make_masked_correlator(device, reference, settings, stream);
    }
    std::unique_ptr<DriftPairs> drift_pairs(int device,
                                            const DriftSettings& settings) const override {
        return make_drift_pairs(device, settings);
    }
};

}  // namespace
}  // namespace stemzoo::cuda

STEMZOO_EXPORT const stemzoo::cuda::Module* stemzoo_cuda_module(const char* version) {
    static const stemzoo::cuda::OpenedModule module;
    return std::strcmp(version, STEMZOO_VERSION) == 0 ? &module : nullptr;
}
