// Where work is done.
#pragma once

#include "cuda/module.hpp"

namespace stemzoo::cuda {

struct OnDevice {
    const Module& module;
    int device;
    void* stream;
};

}  // namespace stemzoo::cuda
