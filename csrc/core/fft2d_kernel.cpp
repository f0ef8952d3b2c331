// Compiled once for each instruction set; see core/fft.hpp.
#include <algorithm>

#include "core/fft.hpp"
#include "core/fft2d.hpp"
#include "core/lanes.hpp"

namespace stemzoo::STEMZOO_ISA {
namespace {

constexpr std::size_t L = lanes<float>;

// Pairs of vectors in a cache line, at least one: columns of images are read and written in whole
// lines, for rows of a power of two push each other out of the cache.
constexpr std::size_t pairs = std::max<std::size_t>(1, 8 / L);
constexpr std::size_t wide = 2 * L;  // pixels in a pair

using V = Vector<float, L>;

// Walking down columns is what hardware prefetchers do not foresee.
constexpr std::size_t rows_ahead = 12;

// Columns of real pixels are transformed two at a time, as the real and imaginary parts of one
// complex signal, by which a complex FFT is twice as fast as two real ones. Symmetry takes the two
// apart.
class Kernel final : public Fft2dKernel {
  public:
    explicit Kernel(const SpectrumLayout& layout)
        : layout_(layout),
          column_fft_(layout.image.rows),
          row_fft_(layout.image.cols),
          vectors_((layout.image.cols + L - 1) / L),
          pairs_((layout.image.cols + wide - 1) / wide) {
        column_blocks = (pairs_ + pairs - 1) / pairs;
        row_blocks = (layout.rows + L - 1) / L;
        rows_a_block = L;
        row_size_ = vectors_ * L * 2 * L;
        column_size_ = layout.image.rows * wide + column_fft_.work_size();
        work_size = std::max(pairs * column_size_, row_size_ + row_fft_.work_size());
    }

    void columns_forward(const float* image, const Fading* fading, std::size_t block,
                         float* spectrum, float* work) const override {
        const std::size_t n = layout_.image.rows, cols = layout_.image.cols;
        const std::size_t first = block * pairs, count = std::min(pairs, pairs_ - first);
        float across[pairs * wide];
        std::fill_n(across, pairs * wide, 1.0f);
        if (fading != nullptr) {
            std::copy_n(fading->columns + first * wide, std::min(pairs * wide, cols - first * wide),
                        across);
        }
        const float* from = image + first * wide;
        for (std::size_t y = 0; y < n; ++y, from += cols) {
            fetch(from + std::min(rows_ahead, n - 1 - y) * cols);
            const float down = fading != nullptr ? fading->rows[y] : 1.0f;
            for (std::size_t p = 0; p < count; ++p) {
                float some[wide] = {};
                const std::size_t left = cols - (first + p) * wide;
                if (left < wide) std::copy_n(from + p * wide, left, some);
                Complex pixels(left < wide ? some : from + p * wide);
                const Complex weights(across + p * wide);
                pixels.re *= weights.re * down;
                pixels.im *= weights.im * down;
                pixels.put(work + p * column_size_ + y * wide);
            }
        }
        const float* results[pairs] = {};
        for (std::size_t p = 0; p < count; ++p) {
            float* const data = work + p * column_size_;
            results[p] = column_fft_.forward(data, data + n * wide);
        }
        for (std::size_t ky = 0; ky < layout_.rows; ++ky) {
            float *const re = layout_.real(spectrum, ky) + first * wide, *const im =
                                                                             layout_.imaginary(
                                                                                 spectrum, ky) +
                                                                             first * wide;
            const std::size_t later = std::min(ky + rows_ahead, layout_.rows - 1);
            fetch(layout_.real(spectrum, later) + first * wide);
            fetch(layout_.imaginary(spectrum, later) + first * wide);
            for (std::size_t p = 0; p < count; ++p) {
                const Complex here(results[p] + ky * wide),
                    mirror(results[p] + (ky == 0 ? 0 : n - ky) * wide);
                store((here.re + mirror.re) * 0.5f, re + p * wide);
                store((here.im + mirror.im) * 0.5f, re + p * wide + L);
                store((here.im - mirror.im) * 0.5f, im + p * wide);
                store((mirror.re - here.re) * 0.5f, im + p * wide + L);
            }
        }
    }

    void columns_backward(const float* spectrum, std::size_t rows, std::size_t block, float* image,
                          std::size_t pitch, float* work) const override {
        const std::size_t n = layout_.image.rows, cols = layout_.image.cols;
        const std::size_t first = block * pairs, count = std::min(pairs, pairs_ - first);
        for (std::size_t ky = 0; ky < rows; ++ky) {
            const float *const re = layout_.real(spectrum, ky) + first * wide,
                               *const im = layout_.imaginary(spectrum, ky) + first * wide;
            const std::size_t later = std::min(ky + rows_ahead, rows - 1);
            fetch(layout_.real(spectrum, later) + first * wide);
            fetch(layout_.imaginary(spectrum, later) + first * wide);
            // Such a frequency of a real signal has no imaginary part.
            const bool real = ky == 0 || 2 * ky == n;
            for (std::size_t p = 0; p < count; ++p) {
                // Behind the last vector is padding, which may hold anything.
                const bool both = 2 * (first + p) + 1 < vectors_;
                const V left_re = load(re + p * wide), left_im = real ? V{} : load(im + p * wide),
                        right_re = both ? load(re + p * wide + L) : V{},
                        right_im = real || !both ? V{} : load(im + p * wide + L);
                float* const data = work + p * column_size_;
                Complex(left_re + right_im, right_re - left_im)
                    .put(data + (ky == 0 ? 0 : n - ky) * wide);
                Complex(left_re - right_im, right_re + left_im).put(data + ky * wide);
            }
        }
        const float* results[pairs] = {};
        for (std::size_t p = 0; p < count; ++p) {
            float* const data = work + p * column_size_;
            if (2 * rows <= n) std::fill(data + rows * wide, data + (n + 1 - rows) * wide, 0.0f);
            results[p] = column_fft_.backward(data, data + n * wide);
        }
        const float scale = 1.0f / static_cast<float>(layout_.image.size());
        float* to = image + first * wide;
        for (std::size_t y = 0; y < n; ++y, to += pitch) {
            fetch(to + std::min(rows_ahead, n - 1 - y) * pitch);
            for (std::size_t p = 0; p < count; ++p) {
                Complex pixels(results[p] + y * wide);
                pixels.re *= scale;
                pixels.im *= scale;
                const std::size_t left = cols - (first + p) * wide;
                if (left >= wide) {
                    pixels.put(to + p * wide);
                } else {
                    float some[wide];
                    pixels.put(some);
                    std::copy_n(some, left, to + p * wide);
                }
            }
        }
    }

    // Lanes are neighbouring ky here.
    void rows(float* spectrum, std::size_t block, bool forward, float* work) const override {
        float* row[L];
        for (std::size_t i = 0; i < L; ++i) {
            // Lanes beyond the last frequency repeat it.
            row[i] = layout_.real(spectrum, std::min(block * L + i, layout_.rows - 1));
        }
        const std::size_t pitch = layout_.pitch, cols = layout_.image.cols, end = vectors_ * L;
        for (std::size_t x = 0; x < end; x += L) {
            float* const to = work + x * 2 * L;
            transpose<float, L>([&](std::size_t i) { return row[i] + x; },
                                [&](std::size_t i) { return to + i * 2 * L; });
            transpose<float, L>([&](std::size_t i) { return row[i] + pitch + x; },
                                [&](std::size_t i) { return to + i * 2 * L + L; });
        }
        float* const data = work;
        float* const extra = work + row_size_;
        const float* const result =
            forward ? row_fft_.forward(data, extra) : row_fft_.backward(data, extra);
        const auto write = [&](std::size_t x, const auto& from) {
            transpose<float, L>(from, [&](std::size_t i) { return row[i] + x; });
            transpose<float, L>([&](std::size_t i) { return from(i) + L; },
                                [&](std::size_t i) { return row[i] + pitch + x; });
        };
        std::size_t x = 0;
        for (; x + L <= cols; x += L) {
            const float* const tile = result + x * 2 * L;
            write(x, [tile](std::size_t i) { return tile + i * 2 * L; });
        }
        if (x < end) {
            // The last tile would read past the transform; those columns are padding.
            write(x, [&](std::size_t i) { return result + std::min(x + i, cols - 1) * 2 * L; });
        }
    }

  private:
    static void fetch(const float* from) {
        STEMZOO_PREFETCH(from);
        if (L == 16) STEMZOO_PREFETCH(from + 16);
    }

    static V load(const float* from) { return STEMZOO_ISA::load<float, L>(from); }

    struct Complex {
        Complex(V real, V imaginary) : re(real), im(imaginary) {}
        explicit Complex(const float* from) : re(load(from)), im(load(from + L)) {}
        void put(float* to) const {
            store(re, to);
            store(im, to + L);
        }

        V re, im;
    };

    SpectrumLayout layout_;
    ComplexFft<float> column_fft_, row_fft_;
    std::size_t vectors_, pairs_;  // of a row
    std::size_t row_size_ = 0, column_size_ = 0;
};

}  // namespace

std::shared_ptr<const Fft2dKernel> make_fft2d(const SpectrumLayout& layout) {
    return std::make_shared<Kernel>(layout);
}

}  // namespace stemzoo::STEMZOO_ISA
