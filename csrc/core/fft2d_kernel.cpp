// Compiled once for each instruction set; see core/fft.hpp.
#include <algorithm>

#include "core/fft.hpp"
#include "core/fft2d.hpp"
#include "core/lanes.hpp"

namespace stemzoo::STEMZOO_ISA {
namespace {

constexpr std::size_t L = lanes<float>;

// Vectors in a cache line: columns of images are read and written in whole lines, for rows of a
// power of two push each other out of the cache.
constexpr std::size_t line = std::max<std::size_t>(1, 16 / L);

class Kernel final : public Fft2dKernel {
  public:
    explicit Kernel(const SpectrumLayout& layout)
        : layout_(layout),
          column_fft_(layout.image.rows),
          row_fft_(layout.image.cols),
          vectors_((layout.image.cols + L - 1) / L) {
        column_blocks = (vectors_ + line - 1) / line;
        row_blocks = (layout.rows + L - 1) / L;
        rows_a_block = L;
        row_size_ = vectors_ * L * 2 * L;
        column_size_ = layout.image.rows * L + column_fft_.work_size();
        work_size = std::max(line * column_size_, row_size_ + row_fft_.work_size());
    }

    void columns_forward(const float* image, std::size_t block, float* spectrum,
                         float* work) const override {
        const std::size_t n = layout_.image.rows, cols = layout_.image.cols;
        const std::size_t first = block * line, count = std::min(line, vectors_ - first);
        const float* from = image + first * L;
        for (std::size_t y = 0; y < n; ++y, from += cols) {
            for (std::size_t v = 0; v < count; ++v) {
                float* const to = work + v * column_size_ + y * L;
                const std::size_t left = cols - (first + v) * L;
                if (left >= L) {
                    store(load<float, L>(from + v * L), to);
                } else {
                    std::fill_n(std::copy_n(from + v * L, left, to), L - left, 0.0f);
                }
            }
        }
        const float* results[line];
        for (std::size_t v = 0; v < count; ++v) {
            float* const data = work + v * column_size_;
            results[v] = column_fft_.forward(data, data + n * L);
        }
        const auto put = [&](std::size_t index, float* to) {
            for (std::size_t v = 0; v < count; ++v) store(part(results[v], index), to + v * L);
        };
        for (std::size_t ky = 0; ky < layout_.rows; ++ky) {
            put(real_index(ky), layout_.real(spectrum, ky) + first * L);
            put(imaginary_index(ky), layout_.imaginary(spectrum, ky) + first * L);
        }
    }

    void columns_backward(const float* spectrum, std::size_t rows, std::size_t block, float* image,
                          float* work) const override {
        const std::size_t n = layout_.image.rows, cols = layout_.image.cols;
        const std::size_t first = block * line, count = std::min(line, vectors_ - first);
        const auto put = [&](std::size_t index, const float* from) {
            if (index == none) return;
            for (std::size_t v = 0; v < count; ++v) {
                store(load<float, L>(from + v * L), work + v * column_size_ + index * L);
            }
        };
        for (std::size_t ky = 0; ky < rows; ++ky) {
            put(real_index(ky), layout_.real(spectrum, ky) + first * L);
            put(imaginary_index(ky), layout_.imaginary(spectrum, ky) + first * L);
        }
        const float* results[line];
        for (std::size_t v = 0; v < count; ++v) {
            float* const data = work + v * column_size_;
            if (rows < layout_.rows) {
                const std::size_t known = real_index(rows) * L;
                std::fill(data + known, data + n * L, 0.0f);
            }
            results[v] = column_fft_.backward(data, data + n * L);
        }
        const float scale = 1.0f / static_cast<float>(layout_.image.size());
        float* to = image + first * L;
        for (std::size_t y = 0; y < n; ++y, to += cols) {
            for (std::size_t v = 0; v < count; ++v) {
                const auto pixels = load<float, L>(results[v] + y * L) * scale;
                const std::size_t left = cols - (first + v) * L;
                if (left >= L) {
                    store(pixels, to + v * L);
                } else {
                    float some[L];
                    store(pixels, some);
                    std::copy_n(some, left, to + v * L);
                }
            }
        }
    }

    // Lanes are neighbouring ky here.
    void rows(float* spectrum, std::size_t block, bool forward, float* work) const override {
        // Lanes beyond the last frequency repeat it.
        const auto row = [&](std::size_t i) {
            return layout_.real(spectrum, std::min(block * L + i, layout_.rows - 1));
        };
        const std::size_t pitch = layout_.pitch;
        for (std::size_t x = 0; x < vectors_ * L; x += L) {
            float* to = work + x * 2 * L;
            transpose<float, L>([&](std::size_t i) { return row(i) + x; },
                                [&](std::size_t i) { return to + i * 2 * L; });
            transpose<float, L>([&](std::size_t i) { return row(i) + pitch + x; },
                                [&](std::size_t i) { return to + i * 2 * L + L; });
        }
        float* const data = work;
        float* const extra = work + row_size_;
        const float* result =
            forward ? row_fft_.forward(data, extra) : row_fft_.backward(data, extra);
        // The last tile reads past the transform; those columns are padding.
        for (std::size_t x = 0; x < vectors_ * L; x += L) {
            const auto from = [&](std::size_t i) {
                return result + std::min(x + i, layout_.image.cols - 1) * 2 * L;
            };
            transpose<float, L>([&](std::size_t i) { return from(i); },
                                [&](std::size_t i) { return row(i) + x; });
            transpose<float, L>([&](std::size_t i) { return from(i) + L; },
                                [&](std::size_t i) { return row(i) + pitch + x; });
        }
    }

  private:
    static constexpr std::size_t none = ~std::size_t(0);

    // Where a frequency's parts stand in half-complex order.
    static std::size_t real_index(std::size_t ky) { return ky == 0 ? 0 : 2 * ky - 1; }
    std::size_t imaginary_index(std::size_t ky) const {
        return ky == 0 || 2 * ky >= layout_.image.rows ? none : 2 * ky;
    }

    static Vector<float, L> part(const float* result, std::size_t index) {
        return index == none ? Vector<float, L>{} : load<float, L>(result + index * L);
    }

    SpectrumLayout layout_;
    RealFft<float> column_fft_;
    ComplexFft<float> row_fft_;
    std::size_t vectors_;  // of a row
    std::size_t row_size_ = 0, column_size_ = 0;
};

}  // namespace

std::shared_ptr<const Fft2dKernel> make_fft2d(const SpectrumLayout& layout) {
    return std::make_shared<Kernel>(layout);
}

}  // namespace stemzoo::STEMZOO_ISA
