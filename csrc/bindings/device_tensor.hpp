// An array in memory of a GPU: ours, or one that CuPy, PyTorch, JAX or anybody else handed over
// without a copy, by DLPack or by __cuda_array_interface__.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cuda/frames.hpp"

namespace stemzoo {

struct DeviceTensor {
    std::shared_ptr<void> owner;  // whoever keeps the memory
    int device = 0;
    void* data = nullptr;
    cuda::PixelType type = cuda::PixelType::f32;
    std::vector<std::size_t> shape;
    std::vector<std::ptrdiff_t> strides;  // in elements

    // A new C-contiguous float32 tensor, its contents undefined.
    static DeviceTensor empty(int device, const std::vector<std::size_t>& shape);

    std::size_t size() const;
    bool contiguous() const;
    // A 2-D tensor is one frame, a 3-D one a stack.
    cuda::Frames frames() const;
};

// What is to be put on a device: a tensor that is there, or an array of the host.
DeviceTensor on_device(const pybind11::object& image, int device, void* stream);

// Frames where they lie: on the device, or on the host, whose array is kept for as long as this is.
struct GivenFrames {
    pybind11::object kept;
    cuda::Frames frames;
    bool on_host;
};

GivenFrames given_frames(const pybind11::object& image, int device);

inline void* stream_of(std::size_t handle) { return reinterpret_cast<void*>(handle); }

}  // namespace stemzoo
