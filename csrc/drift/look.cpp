#include "drift/look.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/fft2d.hpp"
#include "core/scratch.hpp"

namespace stemzoo::drift {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double corner = 0.7072;     // cycles per pixel: the farthest frequency from the centre
constexpr std::size_t rings = 48;     // over which a spectrum's level is taken, centre to corner
constexpr float bragg = 3;            // times the level of its ring: what stands higher is lattice
constexpr float clipped = 2;          // times the level: a frequency counts no higher for it
constexpr int rounds = 6;             // of working the level out without what stands high
constexpr double cutoff = 0.15;       // cycles per pixel: Gaussian, before resolution is halved
constexpr double noise_from = 0.4;    // cycles per pixel: only noise is left beyond
constexpr double taper_share = 0.08;  // of a side fades out: a sharp edge is a cross in Fourier
constexpr float least = 1e-30f;

std::vector<float> taper(std::size_t side) {
    const auto edge = std::max<std::size_t>(1, static_cast<std::size_t>(taper_share * static_cast<double>(side)));
    std::vector<float> window(side, 1.0f);
    for (std::size_t i = 0; i < edge; ++i) {
        const double rise = 0.5 - 0.5 * std::cos(pi * (static_cast<double>(i) + 0.5) / static_cast<double>(edge));
        window[i] = window[side - 1 - i] = static_cast<float>(rise);
    }
    return window;
}

double frequency(std::size_t i, std::size_t n) {
    const double k = static_cast<double>(i) / static_cast<double>(n);
    return 2 * i < n ? k : k - 1;
}

// A spectrum's magnitudes, of the frequencies its layout holds, and the ring of each.
struct Heights {
    explicit Heights(const SpectrumLayout& l)
        : rows(l.rows), cols(l.image.cols), value(rows * cols), ring(rows * cols) {}

    std::size_t rows, cols;
    std::vector<float> value;
    std::vector<std::uint8_t> ring;
};

// How often a frequency stands in the whole spectrum: those of the first row, and of the last of an
// even number, are their own mirror images.
float multiplicity(std::size_t ky, std::size_t image_rows) {
    return ky == 0 || 2 * ky == image_rows ? 1.0f : 2.0f;
}

void fill_rings(const SpectrumLayout& layout, Heights& h) {
    std::vector<double> kx2(h.cols);
    for (std::size_t x = 0; x < h.cols; ++x) kx2[x] = std::pow(frequency(x, h.cols), 2);
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        const double y2 = std::pow(frequency(ky, layout.image.rows), 2);
        for (std::size_t x = 0; x < h.cols; ++x) {
            const double ring = std::sqrt(y2 + kx2[x]) / corner * static_cast<double>(rings);
            h.ring[ky * h.cols + x] =
                static_cast<std::uint8_t>(std::min(ring, static_cast<double>(rings - 1)));
        }
    }
}

void fill_heights(const SpectrumLayout& layout, const float* spectrum, Heights& h) {
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        const float *re = layout.real(spectrum, ky), *im = layout.imaginary(spectrum, ky);
        float* out = h.value.data() + ky * h.cols;
        for (std::size_t x = 0; x < h.cols; ++x) out[x] = std::sqrt(re[x] * re[x] + im[x] * im[x]);
    }
}

// The mean height of each ring, of what is not far above it.
std::vector<float> levels(const Heights& h, std::size_t image_rows) {
    std::vector<float> cap(rings, INFINITY), level(rings);
    for (int round = 0; round <= rounds; ++round) {
        std::vector<double> sum(rings, 0.0), members(rings, 0.0);
        for (std::size_t ky = 0; ky < h.rows; ++ky) {
            const float times = multiplicity(ky, image_rows);
            for (std::size_t i = ky * h.cols; i < (ky + 1) * h.cols; ++i) {
                const std::size_t ring = h.ring[i];
                sum[ring] += static_cast<double>(times * std::min(h.value[i], cap[ring]));
                members[ring] += static_cast<double>(times);
            }
        }
        for (std::size_t ring = 0; ring < rings; ++ring) {
            level[ring] = static_cast<float>(sum[ring] / std::max(members[ring], 1.0));
            cap[ring] = clipped * level[ring];
        }
    }
    return level;
}

// The mean height of the highest frequencies.
float noise_of(const SpectrumLayout& layout, const Heights& h) {
    double sum = 0, members = 0;
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        const double y2 = std::pow(frequency(ky, layout.image.rows), 2);
        const double times = static_cast<double>(multiplicity(ky, layout.image.rows));
        for (std::size_t x = 0; x < h.cols; ++x) {
            if (y2 + std::pow(frequency(x, h.cols), 2) <= noise_from * noise_from) continue;
            sum += times * static_cast<double>(h.value[ky * h.cols + x]);
            members += times;
        }
    }
    return std::max(static_cast<float>(sum / members), least);
}

// 0 at Bragg peaks and their eight neighbours (a tapered peak is three frequencies wide), else 1.
std::vector<float> without_bragg(const Heights& h, const std::vector<float>& level,
                                 std::size_t image_rows) {
    std::vector<float> kept(h.rows * h.cols, 1.0f);
    const auto clear = [&](std::ptrdiff_t ky, std::size_t x) {
        const auto rows = static_cast<std::ptrdiff_t>(image_rows);
        auto row = static_cast<std::size_t>((ky + rows) % rows);
        x %= h.cols;
        if (row >= h.rows) {  // held by its mirror image
            row = image_rows - row;
            x = (h.cols - x) % h.cols;
        }
        kept[row * h.cols + x] = 0;
    };
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        for (std::size_t x = 0; x < h.cols; ++x) {
            const std::size_t i = ky * h.cols + x;
            if (!(h.value[i] > bragg * std::max(level[h.ring[i]], least))) continue;
            for (std::ptrdiff_t dy = -1; dy <= 1; ++dy) {
                for (std::size_t dx = 0; dx < 3; ++dx) {
                    clear(static_cast<std::ptrdiff_t>(ky) + dy, x + h.cols + dx - 1);
                }
            }
        }
    }
    return kept;
}

// The lower half of a spectrum's frequencies along both axes, without the highest of those left,
// low-passed and weighted.
void halve(const SpectrumLayout& from, const float* spectrum, const SpectrumLayout& to, float scale,
           const float* kept, float* half) {
    const std::size_t cols = to.image.cols;
    std::vector<float> pass(cols);
    std::fill_n(half, to.size, 0.0f);
    for (std::size_t ky = 0; ky + 1 < to.rows; ++ky) {
        const double y2 = std::pow(frequency(ky, from.image.rows), 2);
        for (std::size_t x = 0; x < cols; ++x) {
            if (2 * x == cols) continue;
            const std::size_t source = 2 * x < cols ? x : from.image.cols - (cols - x);
            const double k2 = y2 + std::pow(frequency(source, from.image.cols), 2);
            float factor = scale * static_cast<float>(std::exp(-k2 / (cutoff * cutoff)));
            if (kept != nullptr) factor *= kept[ky * from.image.cols + source];
            to.real(half, ky)[x] = from.real(spectrum, ky)[source] * factor;
            to.imaginary(half, ky)[x] = from.imaginary(spectrum, ky)[source] * factor;
        }
    }
}

// Without its mean, and faded out towards its edges.
Scratch<float> tapered(const View<const float>& pixels, Shape shape) {
    Scratch<float> image(shape.size());
    const std::vector<float> down = taper(shape.rows), across = taper(shape.cols);
    double sum = 0;
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) sum += static_cast<double>(pixels.at(r, c));
    }
    const auto mean = static_cast<float>(sum / static_cast<double>(shape.size()));
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            image[r * shape.cols + c] = (pixels.at(r, c) - mean) * (down[r] * across[c]);
        }
    }
    return image;
}

}  // namespace

Shape look_shape(Shape frame) { return {frame.rows / 4 * 2, frame.cols / 4 * 2}; }

void look(const View<const float>& pixels, float* out, unsigned threads) {
    const Shape half = look_shape(pixels.shape), whole = {2 * half.rows, 2 * half.cols};
    if (half.rows < 4 || half.cols < 4) {
        throw std::invalid_argument("frame is " + pixels.shape.text() +
                                    " pixels; expected at least 8 along either axis");
    }
    const Fft2d fft(whole), half_fft(half);
    const SpectrumLayout& layout = fft.layout();
    const Scratch<float> spectrum(layout.size), part(half_fft.layout().size);
    fft.forward(tapered(pixels, whole).data(), spectrum.data(), threads);

    Heights heights(layout);
    fill_rings(layout, heights);
    fill_heights(layout, spectrum.data(), heights);
    const std::vector<float> kept =
        without_bragg(heights, levels(heights, whole.rows), whole.rows);
    const float scale = std::sqrt(static_cast<float>(whole.size())) / 2 / noise_of(layout, heights);

    halve(layout, spectrum.data(), half_fft.layout(), scale, kept.data(), part.data());
    half_fft.backward(part.data(), out, threads);
    halve(layout, spectrum.data(), half_fft.layout(), scale, nullptr, part.data());
    float* frame = out + half.size();
    half_fft.backward(part.data(), frame, threads);
    for (std::size_t i = 0; i < half.size(); ++i) frame[i] = std::asinh(frame[i]);
}

}  // namespace stemzoo::drift
