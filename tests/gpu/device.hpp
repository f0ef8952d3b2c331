// The GPU under test, through the module as the core opens it, and arrays in its memory.
#pragma once

#include <memory>
#include <vector>

#include "cuda/open_module.hpp"
#include "ncc/ncc.hpp"
#include "tiling/tiling.hpp"

namespace gpu {

using namespace stemzoo;

inline constexpr int device = 0;

inline const cuda::Module& module() { return cuda::module_for(device); }

// A copy on the device.
template <typename T>
class Copy {
  public:
    explicit Copy(std::size_t count)
        : bytes_(count * sizeof(T)), data_(static_cast<T*>(module().allocate(device, bytes_))) {}
    explicit Copy(const std::vector<T>& values) : Copy(values.size()) {
        module().copy(device, data_, values.data(), bytes_, nullptr);
    }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;
    ~Copy() { module().release(device, data_); }

    T* data() const { return data_; }
    std::vector<T> values() const {
        std::vector<T> host(bytes_ / sizeof(T));
        module().copy(device, host.data(), data_, bytes_, nullptr);
        return host;
    }

  private:
    std::size_t bytes_;
    T* data_;
};

// Frames one after the other.
template <typename T>
cuda::Frames frames(const T* data, std::size_t count, Shape shape) {
    return cuda::Frames{data, cuda::pixel_type<T>(), count, shape}.packed(data);
}

inline constexpr std::size_t working_bytes = std::size_t{48} << 20;

inline std::unique_ptr<cuda::Correlator> correlator(const cuda::Frames& reference, bool on_host,
                                                    const ncc::Settings& settings,
                                                    std::size_t bytes = working_bytes) {
    return module().correlator(device, reference, on_host,
                               cuda::correlator_settings(reference.shape, settings, bytes),
                               nullptr);
}

inline std::unique_ptr<cuda::Tiles> tiles(const Tiling& tiling) {
    return module().tiles(device, cuda::axis_data(tiling.rows()), cuda::axis_data(tiling.cols()));
}

}  // namespace gpu
