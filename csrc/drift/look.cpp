#include "drift/look.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/fft2d.hpp"
#include "core/kept.hpp"
#include "core/scratch.hpp"
#include "drift/kernels.hpp"
#include "drift/rings.hpp"
#include "drift/taper.hpp"
#include "tiling/strided.hpp"

namespace stemzoo::drift {
namespace {

constexpr float bragg = 3;           // times the level of its ring: what stands higher is lattice
constexpr std::size_t wide = 2;      // frequencies: how far a tapered peak reaches
constexpr float clipped = 2;         // times the level: a frequency counts no higher for it
constexpr int rounds = 6;            // of working the level out without what stands high
constexpr double cutoff = 0.15;      // cycles per pixel: Gaussian, before resolution is halved
constexpr double noise_from = 0.4;   // cycles per pixel: only noise is left beyond
constexpr double common_to = 0.1;    // cycles per pixel: where frames have most in common
constexpr double most_common = 0.9;  // of their power
// Of noise, relative to its level as it is taken here: the median height.
constexpr double median_of_noise = 0.9525;
constexpr float least = 1e-30f;

std::shared_ptr<const Rings> rings_of(const SpectrumLayout& layout) {
    static Kept<Shape, Rings> kept;
    return kept.get(layout.image, [&](Shape) { return std::make_shared<Rings>(layout); });
}

// A spectrum's magnitudes: of the frequencies its layout holds, row by row, and ring by ring.
struct Heights {
    Heights(const SpectrumLayout& l, const float* spectrum, const Rings& rings)
        : rows(l.rows), cols(l.image.cols), value(rows * cols), by_ring(rows * cols) {
        for (std::size_t ky = 0; ky < rows; ++ky) {
            kernels().heights(l.real(spectrum, ky), l.imaginary(spectrum, ky), cols,
                              value.data() + ky * cols);
        }
        for (std::size_t i = 0; i < rows * cols; ++i) by_ring[i] = value[rings.places[i]];
    }

    std::size_t rows, cols;
    Scratch<float> value, by_ring;
};

struct Levels {
    float of_ring[Rings::count];  // the mean height, of what is not far above it
    float noise;                  // the level of the highest frequencies
};

Levels measure(const Rings& rings, const Heights& h) {
    Levels levels{};
    double power = 0, members = 0;
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        const std::size_t begin = rings.begin[ring], twice = rings.twice[ring],
                          end = rings.begin[ring + 1];
        const double there = rings.members(ring);
        float cap = INFINITY, level = 0;
        for (int round = 0; round <= rounds; ++round) {
            const auto sum = [&](std::size_t from, std::size_t to) {
                return kernels().capped_sum(h.by_ring.data() + from, to - from, cap);
            };
            level = static_cast<float>((sum(begin, twice) + 2 * sum(twice, end)) /
                                       std::max(there, 1.0));
            cap = clipped * level;
        }
        levels.of_ring[ring] = level;
        if (ring <= static_cast<std::size_t>(noise_from / Rings::corner * Rings::count)) continue;
        power += there * std::pow(static_cast<double>(level), 2);
        members += there;
    }
    levels.noise = std::max(static_cast<float>(std::sqrt(power / members)), least);
    return levels;
}

// Takes Bragg peaks out of the spectrum, and what is within `wide` of them, which is where a
// tapered peak reaches. Heights are 0 there.
void clear_bragg(const SpectrumLayout& layout, const Rings& rings, const Levels& levels,
                 const Heights& h, float* spectrum) {
    const auto clear = [&](std::size_t row, std::size_t x) {
        x %= h.cols;
        row %= layout.image.rows;
        if (row >= h.rows) {  // held by its mirror image
            row = layout.image.rows - row;
            x = (h.cols - x) % h.cols;
        }
        const auto empty = [&](std::size_t column) {
            h.value[row * h.cols + column] = 0;
            layout.real(spectrum, row)[column] = layout.imaginary(spectrum, row)[column] = 0;
        };
        empty(x);
        // Rows that are their own mirror images hold both of a pair.
        if (row == 0 || 2 * row == layout.image.rows) empty((h.cols - x) % h.cols);
    };
    for (std::size_t ring = 0; ring < Rings::count; ++ring) {
        const float limit = bragg * std::max(levels.of_ring[ring], least);
        for (std::size_t i = rings.begin[ring]; i < rings.begin[ring + 1]; ++i) {
            if (!(h.by_ring[i] > limit)) continue;
            const std::size_t top = rings.places[i] / h.cols + layout.image.rows - wide,
                              left = rings.places[i] % h.cols + h.cols - wide;
            for (std::size_t dy = 0; dy <= 2 * wide; ++dy) {
                for (std::size_t dx = 0; dx <= 2 * wide; ++dx) clear(top + dy, left + dx);
            }
        }
    }
}

// The share c of the power of low frequencies that is not noise is what both frames have in common,
// and a product of two of their amplitudes is worth c / (1 - c^2). Their median knows nothing of
// what is left around Bragg peaks. What chance adds, one standard deviation, does not count.
float worth(const SpectrumLayout& layout, const Heights& h, float noise) {
    std::vector<float> low;
    std::vector<double> kx2(h.cols);
    for (std::size_t x = 0; x < h.cols; ++x) kx2[x] = std::pow(frequency(x, h.cols), 2);
    for (std::size_t ky = 0; ky < h.rows; ++ky) {
        const double left = common_to * common_to - std::pow(frequency(ky, layout.image.rows), 2);
        if (left < 0) break;
        for (std::size_t x = 0; x < h.cols; ++x) {
            const float height = h.value[ky * h.cols + x];
            if (kx2[x] <= left && height > 0) low.push_back(height);
        }
    }
    if (low.empty()) return 0;
    const auto middle = low.begin() + static_cast<std::ptrdiff_t>(low.size() / 2);
    std::nth_element(low.begin(), middle, low.end());
    const double ratio = median_of_noise * static_cast<double>(noise) / std::max(*middle, least);
    const double chance = 1.44 / std::sqrt(static_cast<double>(low.size()));
    const double common = std::min(1 - ratio * ratio - chance, most_common);
    return common > 0 ? static_cast<float>(std::sqrt(common / (1 - common * common))) : 0.0f;
}

std::vector<float> low_pass(std::size_t side, float scale) {
    std::vector<float> pass(side);
    for (std::size_t i = 0; i < side; ++i) {
        const double k = frequency(i, side) / cutoff;
        pass[i] = scale * static_cast<float>(std::exp(-k * k));
    }
    return pass;
}

// The lower half of a spectrum's frequencies along both axes, without the highest of those left,
// through the low-pass and times `scale`.
void halve(const SpectrumLayout& from, const float* spectrum, const SpectrumLayout& to, float scale,
           float* half) {
    const std::size_t cols = to.image.cols, whole = from.image.cols;
    const std::vector<float> down = low_pass(from.image.rows, scale), along = low_pass(whole, 1);
    std::fill_n(half, to.size, 0.0f);
    for (std::size_t ky = 0; ky + 1 < to.rows; ++ky) {
        const auto copy = [&](std::size_t source, std::size_t target, std::size_t count) {
            const float* pass = along.data() + source;
            const float *re = from.real(spectrum, ky) + source,
                        *im = from.imaginary(spectrum, ky) + source;
            float *to_re = to.real(half, ky) + target, *to_im = to.imaginary(half, ky) + target;
            for (std::size_t x = 0; x < count; ++x) {
                to_re[x] = re[x] * (down[ky] * pass[x]);
                to_im[x] = im[x] * (down[ky] * pass[x]);
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
    const auto same = [](float pixel) { return pixel; };
    read_rows(part(pixels, 0, 0, shape), same, image.data(), shape.cols);
    const double sum = kernels().capped_sum(image.data(), shape.size(), INFINITY);
    const auto mean = static_cast<float>(sum / static_cast<double>(shape.size()));
    for (std::size_t r = 0; r < shape.rows; ++r) {
        float* const row = image.data() + r * shape.cols;
        for (std::size_t c = 0; c < shape.cols; ++c)
            row[c] = (row[c] - mean) * (down[r] * across[c]);
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
    const Scratch<float> spectrum(layout.size), half_spectrum(half_fft.layout().size);
    fft.forward(tapered(pixels, whole).data(), spectrum.data(), threads);

    const std::shared_ptr<const Rings> rings = rings_of(layout);
    const Heights heights(layout, spectrum.data(), *rings);
    const Levels levels = measure(*rings, heights);
    const float scale = std::sqrt(static_cast<float>(whole.size())) / 2 / levels.noise;
    const auto channel = [&](float* to) {
        halve(layout, spectrum.data(), half_fft.layout(), scale, half_spectrum.data());
        half_fft.backward(half_spectrum.data(), to, threads);
    };

    float* const frame = out + half.size();
    channel(frame);
    kernels().compress(frame, half.size());
    clear_bragg(layout, *rings, levels, heights, spectrum.data());
    channel(out);
    std::fill_n(out + 2 * half.size(), half.size(), worth(layout, heights, levels.noise));
}

}  // namespace stemzoo::drift
