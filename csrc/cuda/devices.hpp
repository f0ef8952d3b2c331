// Which GPUs there are.
#pragma once

#include <string>

#include "cuda/module.hpp"

namespace stemzoo::cuda {

int count_devices(std::string& reason);
DeviceInfo describe_device(int device);
bool devices_are_emulated();
int device_of_memory(const void* memory);  // -1: the host's

}  // namespace stemzoo::cuda
