// The 2-D transform against its definition, and there and back.
#include <complex>
#include <vector>

#include "check.hpp"
#include "core/fft2d.hpp"
#include "ncc_reference.hpp"

using stemzoo::Fft2d;
using stemzoo::Shape;

namespace {

std::vector<float> transformed(const Fft2d& fft, const std::vector<float>& image,
                               unsigned threads) {
    std::vector<float> spectrum(fft.layout().size);
    fft.forward(image.data(), spectrum.data(), threads);
    return spectrum;
}

std::complex<double> frequency(const std::vector<float>& image, Shape shape, std::size_t ky,
                               std::size_t kx) {
    std::complex<double> sum = 0;
    for (std::size_t y = 0; y < shape.rows; ++y) {
        for (std::size_t x = 0; x < shape.cols; ++x) {
            const double turns = static_cast<double>(ky * y) / static_cast<double>(shape.rows) +
                                 static_cast<double>(kx * x) / static_cast<double>(shape.cols);
            sum += static_cast<double>(image[y * shape.cols + x]) *
                   std::polar(1.0, -6.283185307179586 * turns);
        }
    }
    return sum;
}

const Shape shapes[] = {{1, 1}, {2, 3}, {16, 16}, {17, 5}, {31, 40}, {24, 33}};

}  // namespace

TEST(fft2d_agrees_with_the_definition) {
    for (const Shape shape : shapes) {
        const Fft2d fft(shape);
        const auto image = reference::noise<float>(shape, 3).pixels;
        const auto spectrum = transformed(fft, image, 1);
        for (std::size_t ky = 0; ky <= shape.rows / 2; ++ky) {
            for (std::size_t kx = 0; kx < shape.cols; ++kx) {
                const auto expected = frequency(image, shape, ky, kx);
                CHECK_NEAR(fft.layout().real(spectrum.data(), ky)[kx], expected.real(), 1e-3);
                CHECK_NEAR(fft.layout().imaginary(spectrum.data(), ky)[kx], expected.imag(), 1e-3);
            }
        }
    }
}

TEST(fft2d_backward_undoes_forward) {
    for (const Shape shape : {Shape{1, 1}, Shape{2, 3}, Shape{64, 64}, Shape{97, 130}}) {
        const Fft2d fft(shape);
        const auto image = reference::noise<float>(shape, 4).pixels;
        auto spectrum = transformed(fft, image, 3);
        CHECK(spectrum == transformed(fft, image, 1));
        std::vector<float> back(shape.size());
        fft.backward(spectrum.data(), back.data(), 3);
        for (std::size_t i = 0; i < back.size(); ++i) CHECK_NEAR(back[i], image[i], 1e-5);
    }
}
