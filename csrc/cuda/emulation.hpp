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

// The i-th of n items: in a shuffled order, items that lie a stride apart follow each other.
class Permutation {
  public:
    explicit Permutation(std::size_t n) : n_(n), stride_(n * 618 / 1000 + 1) {
        while (std::gcd(stride_, n) != 1) ++stride_;
    }
    std::size_t operator[](std::size_t i) const {
        if (order == Order::forward) return i;
        if (order == Order::backward) return n_ - 1 - i;
        return i * stride_ % n_;
    }

  private:
    std::size_t n_, stride_;
};

template <typename F>
void each(std::size_t n, F f) {
    if (n == 0) return;
    const Permutation items(n);
    for (std::size_t i = 0; i < n; ++i) f(items[i]);
}

// f(step, thread) for all threads, step by step, until it returns false.
template <typename F>
void steps(std::size_t threads, F f) {
    const Permutation order_of_threads(threads);
    for (unsigned step = 0;; ++step) {
        std::size_t going_on = 0;
        for (std::size_t i = 0; i < threads; ++i) going_on += f(step, order_of_threads[i]) ? 1 : 0;
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
