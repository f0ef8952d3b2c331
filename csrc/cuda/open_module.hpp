// The module stemzoo_cuda, opened once a process where there is one; without it, and without a GPU
// or a driver, everything else works.
#pragma once

#include <string>

#include "cuda/module.hpp"

namespace stemzoo::cuda {

struct OpenedModule {
    const Module* module = nullptr;  // null if there is none, or no GPU for it; see `reason`
    int devices = 0;
    std::string reason;
};

// Looked for in the file that STEMZOO_CUDA_MODULE names, else in the folder `cuda` beside the
// library or program that this code is part of.
const OpenedModule& opened_module();

// Throws std::invalid_argument, with the reason, if there is no such device.
const Module& module_for(int device);

}  // namespace stemzoo::cuda
