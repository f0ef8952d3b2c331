#include "spectrum/power_spectrum.hpp"

#include <cmath>
#include <vector>

#include "core/fft2d.hpp"

namespace stemzoo::spectrum {
namespace {

// Without the zeros at its ends.
std::vector<float> hann(std::size_t side) {
    constexpr double pi = 3.14159265358979323846;
    std::vector<float> weights(side);
    for (std::size_t i = 0; i < side; ++i) {
        const double along = static_cast<double>(i + 1) / static_cast<double>(side + 1);
        weights[i] = static_cast<float>(0.5 - 0.5 * std::cos(2 * pi * along));
    }
    return weights;
}

}  // namespace

HalfPlane::HalfPlane(Shape of_image)
    : image(of_image), shape{of_image.rows, of_image.cols / 2 + 1}, power(shape.size()) {}

double frequency(std::size_t index, std::size_t side) {
    const double periods =
        static_cast<double>(index) - (2 * index < side ? 0.0 : static_cast<double>(side));
    return periods / static_cast<double>(side);
}

HalfPlane power_spectrum(const float* pixels, Shape image, unsigned threads) {
    const Fft2d fft(image);
    const SpectrumLayout& layout = fft.layout();
    const std::vector<float> down = hann(image.rows), across = hann(image.cols);
    const Fading window{down.data(), across.data()};
    const Scratch<float> spectrum(layout.size);
    fft.forward(pixels, spectrum.data(), threads, &window);
    HalfPlane half(image);
    for (std::size_t y = 0; y < image.rows; ++y) {
        // The layout has all frequencies along x of half of those along y.
        const bool mirrored = y >= layout.rows;
        const std::size_t ky = mirrored ? image.rows - y : y;
        const float *const re = layout.real(spectrum.data(), ky), *const im = layout.imaginary(
                                                                      spectrum.data(), ky);
        float* const power = half.row(y);
        for (std::size_t x = 0; x < half.shape.cols; ++x) {
            const std::size_t kx = mirrored && x > 0 ? image.cols - x : x;
            power[x] = re[kx] * re[kx] + im[kx] * im[kx];
        }
    }
    return half;
}

}  // namespace stemzoo::spectrum
