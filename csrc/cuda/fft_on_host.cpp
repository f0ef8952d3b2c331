#include "cuda/fft_on_host.hpp"

#include <algorithm>
#include <complex>
#include <vector>

namespace stemzoo::cuda {
namespace {

using Complex = std::complex<double>;
using Line = std::vector<Complex>;

std::size_t least_factor(std::size_t n) {
    for (std::size_t factor = 2; factor * factor <= n; ++factor) {
        if (n % factor == 0) return factor;
    }
    return n;
}

// The transform of a line, for many lines of one length: the roots of unity are computed once.
class LineTransform {
  public:
    LineTransform(std::size_t n, double sign) : roots_(n), result_(n), together_(n) {
        constexpr double pi = 3.14159265358979323846;
        for (std::size_t k = 0; k < n; ++k) {
            roots_[k] =
                std::polar(1.0, sign * 2 * pi * static_cast<double>(k) / static_cast<double>(n));
        }
    }

    const Line& operator()(const Line& line) {
        transform(line.data(), 1, line.size(), result_.data());
        return result_;
    }

  private:
    // Split by the least factor, transform the parts, put them together.
    void transform(const Complex* in, std::size_t stride, std::size_t n, Complex* out) {
        if (n == 1) {
            *out = *in;
            return;
        }
        const std::size_t factor = least_factor(n), size = n / factor;
        for (std::size_t p = 0; p < factor; ++p) {
            transform(in + p * stride, stride * factor, size, out + p * size);
        }
        for (std::size_t k = 0; k < n; ++k) {
            Complex sum = 0;
            for (std::size_t p = 0; p < factor; ++p) {
                sum += out[p * size + k % size] * roots_[p * k % n * stride];
            }
            together_[k] = sum;
        }
        std::copy_n(together_.data(), n, out);
    }

    Line roots_, result_, together_;
};

template <typename T>
void run_all(const FftLayout& layout, const void* in, void* out) {
    const bool real_in = layout.kind == FftKind::real_to_complex;
    const bool real_out = layout.kind == FftKind::complex_to_real;
    const std::size_t n = layout.length, half = n / 2 + 1;
    LineTransform transformed(n, real_in || layout.kind == FftKind::forward ? -1 : 1);
    Line line(n);
    for (std::size_t j = 0; j < layout.count; ++j) {
        for (std::size_t k = 0; k < n; ++k) {
            const bool given = !real_out || k < half;
            const std::size_t at = (given ? k : n - k) * layout.in_stride + j * layout.in_distance;
            line[k] = real_in ? Complex(static_cast<const T*>(in)[at])
                              : Complex(static_cast<const std::complex<T>*>(in)[at]);
            if (!given) line[k] = std::conj(line[k]);
        }
        const Line& result = transformed(line);
        for (std::size_t k = 0; k < (real_in ? half : n); ++k) {
            const std::size_t at = k * layout.out_stride + j * layout.out_distance;
            if (real_out) {
                static_cast<T*>(out)[at] = static_cast<T>(result[k].real());
            } else {
                static_cast<std::complex<T>*>(out)[at] = std::complex<T>(result[k]);
            }
        }
    }
}

}  // namespace

void transform_on_host(const FftLayout& layout, const void* in, void* out) {
    layout.in_double ? run_all<double>(layout, in, out) : run_all<float>(layout, in, out);
}

}  // namespace stemzoo::cuda
