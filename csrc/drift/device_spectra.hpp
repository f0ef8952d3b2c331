// Where numbers of a chunk of frames lie on a GPU, for the drift between each of them and a
// reference. Images are [row][f][x], f the frame of the chunk; spectra are [ky][f][kx], kx up to
// half the width, and what lies beyond follows by symmetry.
#pragma once

#include "core/array.hpp"
#include "core/portable.hpp"
#include "ncc/plain_kernels.hpp"

namespace stemzoo::cuda {

struct FrameGrid {
    Shape image;
    std::size_t chunk = 0;

    STEMZOO_ANYWHERE std::size_t half() const { return image.cols / 2 + 1; }
    STEMZOO_ANYWHERE std::size_t pixel(std::size_t f, std::size_t row, std::size_t x) const {
        return (row * chunk + f) * image.cols + x;
    }
    // Of what lies as spectra do; kx up to half the width.
    STEMZOO_ANYWHERE std::size_t place(std::size_t f, std::size_t ky, std::size_t kx) const {
        return (ky * chunk + f) * half() + kx;
    }
    std::size_t pixels() const { return image.size() * chunk; }
    std::size_t places() const { return image.rows * chunk * half(); }

    // How many frequencies of the whole spectrum a stored one stands for.
    STEMZOO_ANYWHERE double times(std::size_t kx) const {
        return kx == 0 || 2 * kx == image.cols ? 1 : 2;
    }
    STEMZOO_ANYWHERE std::size_t opposite_row(std::size_t ky) const {
        return ky == 0 ? 0 : image.rows - ky;
    }
};

// The value at any frequency. Of real numbers that are alike at opposite frequencies:
STEMZOO_ANYWHERE inline float at(const FrameGrid& grid, const float* values, std::size_t f,
                                 std::size_t ky, std::size_t kx) {
    if (kx < grid.half()) return values[grid.place(f, ky, kx)];
    return values[grid.place(f, grid.opposite_row(ky), grid.image.cols - kx)];
}
// and of the spectrum of real numbers:
STEMZOO_ANYWHERE inline Complex<float> at(const FrameGrid& grid, const Complex<float>* spectrum,
                                          std::size_t f, std::size_t ky, std::size_t kx) {
    if (kx < grid.half()) return spectrum[grid.place(f, ky, kx)];
    const Complex<float> mirrored =
        spectrum[grid.place(f, grid.opposite_row(ky), grid.image.cols - kx)];
    return {mirrored.re, -mirrored.im};
}

STEMZOO_ANYWHERE inline float power_of(Complex<float> value) {
    return value.re * value.re + value.im * value.im;
}

}  // namespace stemzoo::cuda
