// Times on the GPU, with the bytes that have to move at least.
#pragma once

#include <cstddef>

namespace gpu {

void bench();
void bench_large(std::size_t side);

}  // namespace gpu
