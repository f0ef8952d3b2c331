#include "spectrum/blur.hpp"

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/fft2d.hpp"
#include "spectrum/centred.hpp"
#include "spectrum/power_spectrum.hpp"

namespace stemzoo::spectrum {
namespace {

std::vector<float> transfer(std::size_t side, double sigma) {
    constexpr double pi = 3.14159265358979323846;
    std::vector<float> gains(side);
    for (std::size_t i = 0; i < side; ++i) {
        const double at = pi * sigma * frequency(i, side);
        gains[i] = static_cast<float>(std::exp(-2 * at * at));
    }
    return gains;
}

}  // namespace

Scratch<float> blurred(const float* pixels, Shape image, double sigma, unsigned threads) {
    const Fft2d fft(image);
    const SpectrumLayout& layout = fft.layout();
    const Scratch<float> spectrum(layout.size);
    Centred centred(pixels, image.size());  // blurring keeps the mean
    fft.forward(centred.pixels.data(), spectrum.data(), threads);
    const std::vector<float> up = transfer(image.rows, sigma), across = transfer(image.cols, sigma);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        for (float* const part :
             {layout.real(spectrum.data(), ky), layout.imaginary(spectrum.data(), ky)}) {
            for (std::size_t kx = 0; kx < image.cols; ++kx) part[kx] *= up[ky] * across[kx];
        }
    }
    Scratch<float> result = std::move(centred.pixels);
    fft.backward(spectrum.data(), result.data(), threads);
    for (std::size_t i = 0; i < image.size(); ++i) result[i] += centred.mean;
    return result;
}

}  // namespace stemzoo::spectrum
