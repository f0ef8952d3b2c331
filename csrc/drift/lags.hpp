// Correlations by Fourier: the product of two spectra, and the lags of its transform.
#pragma once

#include <cstddef>

#include "core/fft2d.hpp"

namespace stemzoo::drift {

// Adds `weight` times conj(a) b of one row of frequencies to `sum`.
inline void add_product(const SpectrumLayout& layout, const float* a, const float* b,
                        std::size_t ky, float weight, float* sum) {
    const float *ar = layout.real(a, ky), *ai = layout.imaginary(a, ky);
    const float *br = layout.real(b, ky), *bi = layout.imaginary(b, ky);
    float *re = layout.real(sum, ky), *im = layout.imaginary(sum, ky);
    for (std::size_t x = 0; x < layout.image.cols; ++x) {
        re[x] += weight * (ar[x] * br[x] + ai[x] * bi[x]);
        im[x] += weight * (ar[x] * bi[x] - ai[x] * br[x]);
    }
}

// The lags up to `reach` of a cyclic correlation, zero lag in the middle.
void cut_lags(const float* cyclic, Shape shape, Shape reach, float* surface);

}  // namespace stemzoo::drift
