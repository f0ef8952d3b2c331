// Kernels and how they are started. A kernel is a small struct of values and pointers; its
// operator() is what one thread does, and compiles for the host, too, where the same index space is
// walked by loops (emulation.hpp), in any order.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/portable.hpp"
#include "cuda/queue.hpp"

#if defined(__CUDACC__)
#include "cuda/check.hpp"
#else
#include "cuda/emulation.hpp"
#endif

namespace stemzoo::cuda {

struct Index {
    unsigned x = 1, y = 1, z = 1;
};

constexpr unsigned number(std::size_t n) { return static_cast<unsigned>(n); }

constexpr unsigned blocks_for(std::size_t items, std::size_t each) {
    return static_cast<unsigned>((items + each - 1) / each);
}

// Threads of a block, for kernels whose items are independent.
constexpr Index block_for(Index items) { return items.y == 1 ? Index{256, 1, 1} : Index{32, 8, 1}; }

// Adds to a counter that all threads share; what it was before.
STEMZOO_ANYWHERE inline unsigned next_place(unsigned* counter) {
#if defined(__CUDA_ARCH__)
    return atomicAdd(counter, 1u);
#else
    return (*counter)++;
#endif
}

STEMZOO_ANYWHERE inline void keep_lowest(unsigned* lowest, unsigned value) {
#if defined(__CUDA_ARCH__)
    atomicMin(lowest, value);
#else
    *lowest = value < *lowest ? value : *lowest;
#endif
}

// launch: body(at) for every index below `items`; no thread may see what another one writes.
//
// launch_blocks: blocks of Body::threads threads that work together in steps. In each step every
// thread calls body(step, block, blocks, thread, shared), and none begins the next before all are
// done: within a step, no thread may read what another one writes. They go on for as long as the
// call returns true, which it does for all threads of a block alike. Only `Body::Shared`, its
// contents undefined at first, lasts from step to step.
#if defined(__CUDACC__)

template <typename Body>
__global__ void run_items(const Body body, const Index items) {
    const Index at{blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y * blockDim.y + threadIdx.y,
                   blockIdx.z * blockDim.z + threadIdx.z};
    if (at.x < items.x && at.y < items.y && at.z < items.z) body(at);
}

template <typename Body>
__global__ void __launch_bounds__(Body::threads) run_blocks(const Body body) {
    // Bytes, for nothing constructs what is shared.
    using Shared = typename Body::Shared;
    __shared__ alignas(alignof(Shared)) unsigned char memory[sizeof(Shared)];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    const Index block{blockIdx.x, blockIdx.y, blockIdx.z};
    const Index blocks{gridDim.x, gridDim.y, gridDim.z};
    for (unsigned step = 0; body(step, block, blocks, threadIdx.x, shared); ++step) __syncthreads();
}

template <typename Body>
void launch(const Queue& queue, Index items, const Body& body) {
    if (items.x == 0 || items.y == 0 || items.z == 0) return;
    const Index block = block_for(items);
    const dim3 threads(block.x, block.y, block.z);
    const dim3 grid(blocks_for(items.x, block.x), blocks_for(items.y, block.y), items.z);
    run_items<<<grid, threads, 0, static_cast<cudaStream_t>(queue.stream())>>>(body, items);
    check(cudaGetLastError(), "a kernel's launch");
}

template <typename Body>
void launch_blocks(const Queue& queue, Index blocks, const Body& body) {
    if (blocks.x == 0 || blocks.y == 0 || blocks.z == 0) return;
    run_blocks<<<dim3(blocks.x, blocks.y, blocks.z), Body::threads, 0,
                 static_cast<cudaStream_t>(queue.stream())>>>(body);
    check(cudaGetLastError(), "a kernel's launch");
}

#else

template <typename Body>
void walk_items(Index items, const Body& body) {
    const Index block = block_for(items);
    const Index grid{blocks_for(items.x, block.x), blocks_for(items.y, block.y), items.z};
    const std::size_t threads = std::size_t{block.x} * block.y;
    const std::size_t all = threads * grid.x * grid.y * grid.z;
    emulation::each(all, [&](std::size_t i) {
        const std::size_t thread = i % threads, place = i / threads;
        const Index index{number(place % grid.x * block.x + thread % block.x),
                          number(place / grid.x % grid.y * block.y + thread / block.x),
                          number(place / grid.x / grid.y)};
        if (index.x < items.x && index.y < items.y && index.z < items.z) body(index);
    });
}

template <typename Body>
void walk_blocks(Index blocks, const Body& body) {
    const std::size_t all = std::size_t{blocks.x} * blocks.y * blocks.z;
    emulation::each(all, [&](std::size_t i) {
        const Index block{number(i % blocks.x), number(i / blocks.x % blocks.y),
                          number(i / blocks.x / blocks.y)};
        emulation::Undefined<typename Body::Shared> shared;
        emulation::steps(Body::threads, [&](unsigned step, std::size_t thread) {
            return body(step, block, blocks, number(thread), shared.value);
        });
    });
}

template <typename Body>
void launch(const Queue& queue, Index items, const Body& body) {
    emulation::run(queue.stream(), [items, body] { walk_items(items, body); });
}

template <typename Body>
void launch_blocks(const Queue& queue, Index blocks, const Body& body) {
    emulation::run(queue.stream(), [blocks, body] { walk_blocks(blocks, body); });
}

#endif

}  // namespace stemzoo::cuda
