// Times on the GPU, with the bytes that have to move at least.
#pragma once

#include <string>

namespace gpu {

// card, ncc, drift, tiling or large; prints a JSON line a figure.
void bench(const std::string& what);

}  // namespace gpu
