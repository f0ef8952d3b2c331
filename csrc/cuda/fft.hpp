// Many one-dimensional transforms at once, unscaled, as cuFFT defines them: forward has the sign
// -1.
#pragma once

#include <cstddef>

#include "cuda/queue.hpp"

namespace stemzoo::cuda {

enum class FftKind { real_to_complex, complex_to_real, forward, backward };

// Element k of transform j of the input lies at k * in_stride + j * in_distance, in numbers of its
// kind: of a real transform of n points, the complex side has n / 2 + 1.
struct FftLayout {
    FftKind kind = FftKind::forward;
    bool in_double = false;
    std::size_t length = 0, count = 0;
    std::size_t in_stride = 1, in_distance = 0, out_stride = 1, out_distance = 0;
};

// The least length from `least` on that a transform is fast at; even, as real transforms like it.
inline std::size_t fast_length(std::size_t least) {
    const auto fast = [](std::size_t n) {
        for (const std::size_t factor : {2, 3, 5, 7}) {
            while (n % factor == 0) n /= factor;
        }
        return n == 1;
    };
    std::size_t n = least + least % 2;
    while (!fast(n)) n += 2;
    return n;
}

class Fft {
  public:
    Fft(const Queue& queue, const FftLayout& layout);
    ~Fft();
    Fft(Fft&& other) noexcept;
    Fft& operator=(Fft&&) = delete;

    // Transforms that follow each other on one queue may work in the same memory.
    std::size_t work_bytes() const { return work_bytes_; }
    void set_work(void* memory) const;

    // A transform to the real side may overwrite its input; complex ones work in place, too.
    void run(const Queue& queue, const void* in, void* out) const;

  private:
    FftLayout layout_;
    int plan_ = -1;
    std::size_t work_bytes_ = 0;
};

// Why there are no transforms: the library they are in cannot be had. Empty if it can.
const char* no_fft();

}  // namespace stemzoo::cuda
