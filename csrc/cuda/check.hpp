// Every call of CUDA is checked, and its errors are exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

#include "cuda/queue.hpp"

namespace stemzoo::cuda {

inline void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    (void)cudaGetLastError();  // or the next call would report it, too
    const std::string text = std::string(what) + " failed: " + cudaGetErrorString(status) + " (" +
                             cudaGetErrorName(status) + ")";
    if (status == cudaErrorMemoryAllocation) {
        throw OutOfMemory(text + "; give smaller frames, fewer at once, or a lower memory limit");
    }
    throw std::runtime_error(text);
}

}  // namespace stemzoo::cuda
