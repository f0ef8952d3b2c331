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
constexpr double corner = 0.7072;    // cycles per pixel: the farthest frequency from the centre
constexpr std::size_t rings = 48;    // over which a spectrum's level is taken, centre to corner
constexpr float bragg = 3;           // times the level of its ring: what stands higher is lattice
constexpr std::ptrdiff_t wide = 2;   // frequencies: how far a tapered peak reaches
constexpr float clipped = 2;         // times the level: a frequency counts no higher for it
constexpr int rounds = 6;            // of working the level out without what stands high
constexpr double cutoff = 0.15;      // cycles per pixel: Gaussian, before resolution is halved
constexpr double noise_from = 0.4;   // cycles per pixel: only noise is left beyond
constexpr double common_to = 0.1;    // cycles per pixel: where frames have most in common
constexpr double most_common = 0.9;  // of their power
// Of noise, relative to its level as it is taken here: the median height.
constexpr double median_of_noise = 0.9525;
constexpr double taper_share = 0.1;  // of a side fades out: a sharp edge is a cross in Fourier
constexpr float least = 1e-30f;

std::vector<float> taper(std::size_t side) {
    const auto edge =
        std::max<std::size_t>(1, static_cast<std::size_t>(taper_share * static_cast<double>(side)));
    std::vector<float> window(side, 1.0f);
    for (std::size_t i = 0; i < edge; ++i) {
        const double rise =
            0.5 - 0.5 * std::cos(pi * (static_cast<double>(i) + 0.5) / static_cast<double>(edge));
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

struct Rings {
    std::vector<float> level;     // the mean height, of what is not far above it
    std::vector<double> members;  // frequencies in the whole spectrum
    float noise = least;          // the level of the highest frequencies
};

Rings measure_rings(const Heights& h, std::size_t image_rows) {
    Rings r{std::vector<float>(rings), std::vector<double>(rings)};
    std::vector<float> cap(rings, INFINITY);
    for (int round = 0; round <= rounds; ++round) {
        std::vector<double> sum(rings, 0.0);
        std::fill(r.members.begin(), r.members.end(), 0.0);
        for (std::size_t ky = 0; ky < h.rows; ++ky) {
            const float times = multiplicity(ky, image_rows);
            for (std::size_t i = ky * h.cols; i < (ky + 1) * h.cols; ++i) {
                const std::size_t ring = h.ring[i];
                sum[ring] += static_cast<double>(times * std::min(h.value[i], cap[ring]));
                r.members[ring] += static_cast<double>(times);
            }
        }
        for (std::size_t ring = 0; ring < rings; ++ring) {
            r.level[ring] = static_cast<float>(sum[ring] / std::max(r.members[ring], 1.0));
            cap[ring] = clipped * r.level[ring];
        }
    }
    double power = 0, members = 0;
    for (auto ring = static_cast<std::size_t>(noise_from / corner * rings) + 1; ring < rings;
         ++ring) {
        power += r.members[ring] * std::pow(static_cast<double>(r.level[ring]), 2);
        members += r.members[ring];
    }
    r.noise = std::max(static_cast<float>(std::sqrt(power / members)), least);
    return r;
}

// 0 at Bragg peaks and within `wide` of them, which is where a tapered peak reaches, else 1.
std::vector<float> without_bragg(const Heights& h, const Rings& r, std::size_t image_rows) {
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
        // Rows that are their own mirror images hold both of a pair.
        if (multiplicity(row, image_rows) == 1.0f) kept[row * h.cols + (h.cols - x) % h.cols] = 0;
    };
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        for (std::size_t x = 0; x < h.cols; ++x) {
            const std::size_t i = ky * h.cols + x;
            if (!(h.value[i] > bragg * std::max(r.level[h.ring[i]], least))) continue;
            for (std::ptrdiff_t dy = -wide; dy <= wide; ++dy) {
                for (std::ptrdiff_t dx = -wide; dx <= wide; ++dx) {
                    clear(static_cast<std::ptrdiff_t>(ky) + dy,
                          x + h.cols + static_cast<std::size_t>(dx));
                }
            }
        }
    }
    return kept;
}

// The share c of the power of low frequencies that is not noise is what both frames have in common,
// and a product of two of their amplitudes is worth c / (1 - c^2). Their median knows nothing of
// what is left around Bragg peaks. What chance adds, one standard deviation, does not count.
float worth(const SpectrumLayout& layout, const Heights& h, const Rings& r,
            const std::vector<float>& kept) {
    std::vector<float> low;
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        const double y2 = std::pow(frequency(ky, layout.image.rows), 2);
        if (y2 > common_to * common_to) continue;
        for (std::size_t x = 0; x < h.cols; ++x) {
            const double k2 = y2 + std::pow(frequency(x, h.cols), 2);
            const std::size_t i = ky * h.cols + x;
            if (k2 <= common_to * common_to && kept[i] > 0) low.push_back(h.value[i]);
        }
    }
    if (low.empty()) return 0;
    const auto middle = low.begin() + static_cast<std::ptrdiff_t>(low.size() / 2);
    std::nth_element(low.begin(), middle, low.end());
    const double ratio = median_of_noise * static_cast<double>(r.noise) / std::max(*middle, least);
    const double chance = 1.44 / std::sqrt(static_cast<double>(low.size()));
    const double common = std::min(1 - ratio * ratio - chance, most_common);
    return common > 0 ? static_cast<float>(std::sqrt(common / (1 - common * common))) : 0.0f;
}

// The Gaussian low-pass, and `scale`, for every frequency.
std::vector<float> low_pass(const SpectrumLayout& layout, float scale) {
    const std::size_t cols = layout.image.cols;
    const auto gauss = [](double k) { return std::exp(-k * k / (cutoff * cutoff)); };
    std::vector<float> pass(layout.rows * cols), along(cols);
    for (std::size_t x = 0; x < cols; ++x) {
        along[x] = scale * static_cast<float>(gauss(frequency(x, cols)));
    }
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        const auto down = static_cast<float>(gauss(frequency(ky, layout.image.rows)));
        for (std::size_t x = 0; x < cols; ++x) pass[ky * cols + x] = down * along[x];
    }
    return pass;
}

// The lower half of a spectrum's frequencies along both axes, without the highest of those left,
// each multiplied with its factor.
void halve(const SpectrumLayout& from, const float* spectrum, const SpectrumLayout& to,
           const std::vector<float>& factor, float* half) {
    const std::size_t cols = to.image.cols, whole = from.image.cols;
    std::fill_n(half, to.size, 0.0f);
    for (std::size_t ky = 0; ky + 1 < to.rows; ++ky) {
        const auto copy = [&](std::size_t source, std::size_t target, std::size_t count) {
            const float* f = factor.data() + ky * whole + source;
            const float *re = from.real(spectrum, ky) + source,
                        *im = from.imaginary(spectrum, ky) + source;
            float *to_re = to.real(half, ky) + target, *to_im = to.imaginary(half, ky) + target;
            for (std::size_t x = 0; x < count; ++x) {
                to_re[x] = re[x] * f[x];
                to_im[x] = im[x] * f[x];
            }
        };
        copy(0, 0, cols / 2);
        copy(whole - cols / 2 + 1, cols / 2 + 1, cols / 2 - 1);
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
    const Rings r = measure_rings(heights, whole.rows);
    const auto channel = [&](const std::vector<float>& factor, float* to) {
        halve(layout, spectrum.data(), half_fft.layout(), factor, part.data());
        half_fft.backward(part.data(), to, threads);
    };

    std::vector<float> factor =
        low_pass(layout, std::sqrt(static_cast<float>(whole.size())) / 2 / r.noise);
    float* const frame = out + half.size();
    channel(factor, frame);
    for (std::size_t i = 0; i < half.size(); ++i) frame[i] = std::asinh(frame[i]);
    const std::vector<float> kept = without_bragg(heights, r, whole.rows);
    for (std::size_t i = 0; i < kept.size(); ++i) factor[i] *= kept[i];
    channel(factor, out);
    std::fill_n(out + 2 * half.size(), half.size(), worth(layout, heights, r, kept));
}

}  // namespace stemzoo::drift
