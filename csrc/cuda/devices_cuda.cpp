#include "cuda/check.hpp"
#include "cuda/devices.hpp"
#include "cuda/queue.hpp"

namespace stemzoo::cuda {

namespace {

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

bool devices_are_emulated() { return false; }

int count_devices(std::string& reason) {
    int count = 0, driver = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaErrorInsufficientDriver) {
        (void)cudaGetLastError();
        (void)cudaDriverGetVersion(&driver);
        reason = driver == 0
                     ? "this machine has no NVIDIA driver"
                     : "the NVIDIA driver is for CUDA " + version_text(driver) +
                           "; expected one for CUDA " + version_text(CUDART_VERSION) + " or later";
        return 0;
    }
    if (status != cudaSuccess) {
        (void)cudaGetLastError();
        reason = std::string("CUDA finds no GPU: ") + cudaGetErrorString(status);
        return 0;
    }
    if (count == 0) reason = "CUDA finds no GPU";
    return count;
}

int device_of_memory(const void* memory) {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, memory), "cudaPointerGetAttributes");
    const bool on_device =
        attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
    return on_device ? attributes.device : -1;
}

DeviceInfo describe_device(int device) {
    const Queue queue(device, nullptr);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    DeviceInfo info{properties.name, 0, 0, properties.major, properties.minor};
    check(cudaMemGetInfo(&info.free_bytes, &info.total_bytes), "cudaMemGetInfo");
    return info;
}

}  // namespace stemzoo::cuda
