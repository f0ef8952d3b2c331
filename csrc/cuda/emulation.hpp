// The index space of a kernel, walked by loops: what the tests run where there is no GPU.
//
// A GPU promises no order of blocks, nor of the threads of a step. The loops take them in the order
// that `order` names: results that depend on it are races.
#pragma once

#include <cstddef>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace stemzoo::cuda::emulation {

enum class Order { forward, backward, shuffled };
inline Order order = Order::shuffled;

// Where streams are emulated, too, work is done when its stream comes to it; else at once.
inline void (*submit)(void* stream, const std::function<void()>& work) = nullptr;

template <typename Work>
void run(void* stream, Work work) {
    submit == nullptr ? work() : submit(stream, work);
}

// f(i) for i below n, in the order that is set: shuffled, items that lie a stride apart follow each
// other.
template <typename F>
void each(std::size_t n, F f) {
    if (order == Order::forward) {
        for (std::size_t i = 0; i < n; ++i) f(i);
    } else if (order == Order::backward) {
        for (std::size_t i = n; i > 0; --i) f(i - 1);
    } else {
        std::size_t stride = n * 618 / 1000 + 1;
        while (std::gcd(stride, n) > 1) ++stride;
        std::size_t at = 0;
        for (std::size_t i = 0; i < n; ++i) {
            f(at);
            for (at += stride; at >= n;) at -= n;
        }
    }
}

// f(step, thread) for all threads, step by step, until it returns false.
template <typename F>
void steps(std::size_t threads, F f) {
    for (unsigned step = 0;; ++step) {
        std::size_t going_on = 0;
        each(threads, [&](std::size_t thread) { going_on += f(step, thread) ? 1 : 0; });
        if (going_on == 0) return;
        if (going_on != threads) {
            throw std::logic_error("threads of a block disagree on whether there is another step");
        }
    }
}

// Shared memory of a block: filled with bytes that make every number absurd.
template <typename T>
struct Undefined {
    T value;
    Undefined() { std::memset(static_cast<void*>(&value), 0xff, sizeof value); }
};

// Bytes of the "device" now, and at most since the last reset: for tests of memory ceilings.
struct Usage {
    std::size_t now = 0, peak = 0;
};
inline Usage usage;

}  // namespace stemzoo::cuda::emulation
