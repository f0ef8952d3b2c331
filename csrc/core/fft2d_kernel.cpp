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
        const Block columns(*this, block);
        columns.whole_pixels ? read_pixels<true>(columns, image, fading, work)
                             : read_pixels<false>(columns, image, fading, work);
        const std::size_t n = layout_.image.rows;
        const float* results[pairs] = {};
        for (std::size_t p = 0; p < columns.count; ++p) {
            float* const data = work + p * column_size_;
            results[p] = column_fft_.forward(data, data + n * wide);
        }
        for (std::size_t ky = 0; ky < layout_.rows; ++ky) {
            float* const re = layout_.real(spectrum, ky) + columns.first * wide;
            float* const im = re + layout_.pitch;
            fetch_frequencies(spectrum, ky, layout_.rows, columns);
            for (std::size_t p = 0; p < columns.count; ++p) {
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
        const Block columns(*this, block);
        columns.whole_vectors ? read_frequencies<true>(columns, spectrum, rows, work)
                              : read_frequencies<false>(columns, spectrum, rows, work);
        const std::size_t n = layout_.image.rows;
        const float* results[pairs] = {};
        for (std::size_t p = 0; p < columns.count; ++p) {
            float* const data = work + p * column_size_;
            if (2 * rows <= n) std::fill(data + rows * wide, data + (n + 1 - rows) * wide, 0.0f);
            results[p] = column_fft_.backward(data, data + n * wide);
        }
        columns.whole_pixels ? write_pixels<true>(columns, results, image, pitch)
                             : write_pixels<false>(columns, results, image, pitch);
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
    // The pairs of vectors that one block has of each row, and whether the row has them all.
    struct Block {
        Block(const Kernel& kernel, std::size_t block)
            : first(block * pairs),
              count(std::min(pairs, kernel.pairs_ - first)),
              whole_pixels((first + pairs) * wide <= kernel.layout_.image.cols),
              whole_vectors(2 * (first + pairs) <= kernel.vectors_) {}

        std::size_t first, count;
        bool whole_pixels, whole_vectors;
    };

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

    void fetch_frequencies(const float* spectrum, std::size_t ky, std::size_t rows,
                           const Block& columns) const {
        const float* const later = layout_.real(spectrum, std::min(ky + rows_ahead, rows - 1));
        fetch(later + columns.first * wide);
        fetch(later + layout_.pitch + columns.first * wide);
    }

    template <bool whole>
    void read_pixels(const Block& columns, const float* image, const Fading* fading,
                     float* work) const {
        const std::size_t n = layout_.image.rows, cols = layout_.image.cols,
                          begin = columns.first * wide, count = whole ? pairs : columns.count;
        float across[pairs * wide];
        std::fill_n(across, pairs * wide, 1.0f);
        if (fading != nullptr) {
            std::copy_n(fading->columns + begin, std::min(pairs * wide, cols - begin), across);
        }
        const float* from = image + begin;
        for (std::size_t y = 0; y < n; ++y, from += cols) {
            fetch(from + std::min(rows_ahead, n - 1 - y) * cols);
            const float down = fading != nullptr ? fading->rows[y] : 1.0f;
            for (std::size_t p = 0; p < count; ++p) {
                const auto take = [&](const float* pair) {
                    const Complex pixels(pair), weights(across + p * wide);
                    Complex(pixels.re * (weights.re * down), pixels.im * (weights.im * down))
                        .put(work + p * column_size_ + y * wide);
                };
                const std::size_t left = cols - begin - p * wide;
                if (whole || left >= wide) {
                    take(from + p * wide);
                } else {
                    float some[wide] = {};
                    std::copy_n(from + p * wide, left, some);
                    take(some);
                }
            }
        }
    }

    template <bool whole>
    void write_pixels(const Block& columns, const float* const* results, float* image,
                      std::size_t pitch) const {
        const std::size_t n = layout_.image.rows, begin = columns.first * wide,
                          count = whole ? pairs : columns.count;
        const float scale = 1.0f / static_cast<float>(layout_.image.size());
        float* to = image + begin;
        for (std::size_t y = 0; y < n; ++y, to += pitch) {
            fetch(to + std::min(rows_ahead, n - 1 - y) * pitch);
            for (std::size_t p = 0; p < count; ++p) {
                const Complex pixels(results[p] + y * wide),
                    scaled(pixels.re * scale, pixels.im * scale);
                const std::size_t left = layout_.image.cols - begin - p * wide;
                if (whole || left >= wide) {
                    scaled.put(to + p * wide);
                } else {
                    float some[wide];
                    scaled.put(some);
                    std::copy_n(some, left, to + p * wide);
                }
            }
        }
    }

    template <bool whole>
    void read_frequencies(const Block& columns, const float* spectrum, std::size_t rows,
                          float* work) const {
        const std::size_t n = layout_.image.rows;
        // The lowest and the highest frequency of a real signal have no imaginary part.
        read_frequency<whole, true>(columns, spectrum, 0, 0, work);
        const std::size_t end = std::min(rows, (n + 1) / 2);
        for (std::size_t ky = 1; ky < end; ++ky) {
            fetch_frequencies(spectrum, ky, rows, columns);
            read_frequency<whole, false>(columns, spectrum, ky, n - ky, work);
        }
        if (end < rows) read_frequency<whole, true>(columns, spectrum, end, end, work);
    }

    template <bool whole, bool real>
    void read_frequency(const Block& columns, const float* spectrum, std::size_t ky,
                        std::size_t mirror, float* work) const {
        const float* const re = layout_.real(spectrum, ky) + columns.first * wide;
        const float* const im = re + layout_.pitch;
        for (std::size_t p = 0; p < (whole ? pairs : columns.count); ++p) {
            // Behind the last vector is padding, which may hold anything.
            const bool both = whole || 2 * (columns.first + p) + 1 < vectors_;
            const V left_re = load(re + p * wide), left_im = real ? V{} : load(im + p * wide),
                    right_re = both ? load(re + p * wide + L) : V{},
                    right_im = real || !both ? V{} : load(im + p * wide + L);
            float* const data = work + p * column_size_;
            Complex(left_re + right_im, right_re - left_im).put(data + mirror * wide);
            Complex(left_re - right_im, right_re + left_im).put(data + ky * wide);
        }
    }

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
