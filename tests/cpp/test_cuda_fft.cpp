// The emulated transforms are those that cuFFT defines.
#include <cmath>
#include <complex>
#include <vector>

#include "check.hpp"
#include "cuda/fft.hpp"

using namespace stemzoo::cuda;

namespace {

using Complexes = std::vector<std::complex<double>>;

Complexes some_numbers(std::size_t n) {
    Complexes numbers(n);
    for (std::size_t i = 0; i < n; ++i) {
        numbers[i] = {std::sin(static_cast<double>(i * i)), std::cos(1.7 * static_cast<double>(i))};
    }
    return numbers;
}

}  // namespace

TEST(cuda_fft_is_the_sum_that_defines_it) {
    const Queue queue(0, nullptr);
    for (const std::size_t n : {1, 2, 7, 12, 30, 97}) {
        const Complexes in = some_numbers(n);
        Complexes out(n);
        Fft(queue, {FftKind::forward, true, n, 1, 1, n, 1, n}).run(queue, in.data(), out.data());
        for (std::size_t k = 0; k < n; ++k) {
            std::complex<double> sum = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const double turns = static_cast<double>(i * k % n) / static_cast<double>(n);
                sum += in[i] * std::polar(1.0, -2 * 3.141592653589793 * turns);
            }
            CHECK_NEAR(std::abs(sum - out[k]), 0, 1e-12 * static_cast<double>(n));
        }
    }
}

TEST(cuda_fft_comes_back_times_its_length_at_any_stride) {
    const Queue queue(0, nullptr);
    const std::size_t n = 12, count = 3;
    std::vector<float> in(n * count), out(n * count);
    for (std::size_t i = 0; i < in.size(); ++i) in[i] = std::sin(static_cast<float>(i * i));
    std::vector<std::complex<float>> half((n / 2 + 1) * count);
    // Interleaved on the complex side.
    Fft(queue, {FftKind::real_to_complex, false, n, count, 1, n, count, 1})
        .run(queue, in.data(), half.data());
    Fft(queue, {FftKind::complex_to_real, false, n, count, count, 1, 1, n})
        .run(queue, half.data(), out.data());
    for (std::size_t i = 0; i < in.size(); ++i) CHECK_NEAR(out[i], 12 * in[i], 1e-5);
}

TEST(cuda_lengths_are_even_and_have_small_factors) {
    CHECK(fast_length(1) == 2);
    CHECK(fast_length(544) == 560);
    CHECK(fast_length(16384 + 32) == 16464);
    CHECK(fast_length(121) == 126);
}
