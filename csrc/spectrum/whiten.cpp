#include "spectrum/whiten.hpp"

#include <cmath>
#include <cstdint>

#include "core/fft2d.hpp"

namespace stemzoo::spectrum {
namespace {

constexpr double added = 0.02;

// splitmix64 (Steele, Lea and Flood 2014).
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    // Uniform, of mean zero and variance one.
    float standard() {
        constexpr double width = 3.4641016151377544;  // the root of 12
        const double unit = static_cast<double>(next() >> 11) * 0x1p-53;
        return static_cast<float>((unit - 0.5) * width);
    }

  private:
    std::uint64_t state_;
};

// Of where pixels are above the mean, which no unit changes.
std::uint64_t seed_of(const float* pixels, std::size_t count) {
    std::uint64_t seed = 0, bits = 0;
    for (std::size_t i = 0; i < count; ++i) {
        bits = bits << 1 | static_cast<std::uint64_t>(pixels[i] > 0);
        if (i % 64 == 63) seed = Random(seed ^ bits).next();
    }
    return Random(seed ^ bits).next();
}

std::vector<double> frequencies(std::size_t side) {
    std::vector<double> f(side);
    for (std::size_t i = 0; i < side; ++i) {
        f[i] = static_cast<double>(std::min(i, side - i)) / static_cast<double>(side);
    }
    return f;
}

}  // namespace

Scratch<float> whitened(const float* pixels, const NoiseColour& colour, double highest,
                        unsigned threads) {
    const Shape shape = colour.shape();
    const auto more = static_cast<float>(added * highest),
               scale = static_cast<float>(highest / colour.highest());
    Random random(seed_of(pixels, shape.size()));
    Scratch<float> image(shape.size());
    for (std::size_t i = 0; i < shape.size(); ++i) {
        image[i] = pixels[i] + std::sqrt(more) * random.standard();
    }
    const Fft2d fft(shape);
    const SpectrumLayout& layout = fft.layout();
    const Scratch<float> spectrum(layout.size);
    fft.forward(image.data(), spectrum.data(), threads);
    const std::vector<double> fy = frequencies(shape.rows), fx = frequencies(shape.cols);
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        const std::vector<float> power = colour.power(fy[ky], fx);
        float *const re = layout.real(spectrum.data(), ky), *const im = layout.imaginary(
                                                                spectrum.data(), ky);
        for (std::size_t kx = 0; kx < shape.cols; ++kx) {
            const float gain = 1 / std::sqrt(scale * power[kx] + more);
            re[kx] *= gain;
            im[kx] *= gain;
        }
    }
    fft.backward(spectrum.data(), image.data(), threads);
    return image;
}

}  // namespace stemzoo::spectrum
