// Correlations by Fourier: the product of two spectra, and the lags of its transform.
#pragma once

#include <cstddef>

#include "core/fft2d.hpp"
#include "drift/kernels.hpp"

namespace stemzoo::drift {

// Adds `weight` times conj(a) b of one row of frequencies to `sum`.
inline void add_product(const SpectrumLayout& layout, const float* a, const float* b,
                        std::size_t ky, float weight, float* sum) {
    kernels().add_product(layout.real(a, ky), layout.imaginary(a, ky), layout.real(b, ky),
                          layout.imaginary(b, ky), layout.image.cols, weight, layout.real(sum, ky),
                          layout.imaginary(sum, ky));
}

// The lags up to `reach` of a cyclic correlation, zero lag in the middle.
void cut_lags(const float* cyclic, Shape shape, Shape reach, float* surface);

}  // namespace stemzoo::drift
