// Two-dimensional real FFTs of whole frames of any size, in float32.
//
// A spectrum holds the frequencies ky = 0 ... rows / 2 of columns and all kx of rows; the others
// follow by symmetry. Row ky is `pitch` real parts, of which the first `cols` are kx = 0, 1, ...,
// and then `pitch` imaginary parts: plain loops over a row run in vectors.
#pragma once

#include <cstddef>
#include <memory>

#include "core/array.hpp"
#include "core/scratch.hpp"

namespace stemzoo {

struct SpectrumLayout {
    explicit SpectrumLayout(Shape image);

    Shape image;
    std::size_t rows;   // frequencies of columns
    std::size_t pitch;  // elements in one part of a row
    std::size_t size;   // elements of the whole buffer, padding included

    template <typename T>
    T* real(T* spectrum, std::size_t ky) const {
        return spectrum + ky * 2 * pitch;
    }
    template <typename T>
    T* imaginary(T* spectrum, std::size_t ky) const {
        return spectrum + ky * 2 * pitch + pitch;
    }
};

// Weights of the pixels of each row, and of each column.
struct Fading {
    const float *rows, *columns;
};

// The inner steps, cut into blocks of one vector width and compiled once for each instruction set.
class Fft2dKernel {
  public:
    virtual ~Fft2dKernel() = default;
    std::size_t column_blocks = 0, row_blocks = 0, rows_a_block = 0, work_size = 0;

    virtual void columns_forward(const float* image, const Fading* fading, std::size_t block,
                                 float* spectrum, float* work) const = 0;
    // Rows of the spectrum from `rows` on are zero, whatever is there. Rows of the image are
    // `pitch` apart; with the layout's pitch it may take the spectrum's place.
    virtual void columns_backward(const float* spectrum, std::size_t rows, std::size_t block,
                                  float* image, std::size_t pitch, float* work) const = 0;
    virtual void rows(float* spectrum, std::size_t block, bool forward, float* work) const = 0;
};

class Fft2d {
  public:
    explicit Fft2d(Shape image);

    const SpectrumLayout& layout() const { return layout_; }
    // The image is contiguous; threads = 0 means all cores. `fading` may be null.
    void forward(const float* image, float* spectrum, unsigned threads = 1,
                 const Fading* fading = nullptr) const;
    // The inverse of forward. Overwrites the spectrum.
    void backward(float* spectrum, float* image, unsigned threads = 1) const;

    // The two halves of backward, block by block, for whoever makes a spectrum row by row and knows
    // that it is zero from one on: first the rows of each block before, of `rows_a_block()`
    // frequencies ky, then all columns. The image takes the spectrum's place, the layout's pitch
    // from row to row. Threads may take different blocks of one half.
    std::size_t row_blocks() const { return kernel_->row_blocks; }
    std::size_t rows_a_block() const { return kernel_->rows_a_block; }
    std::size_t column_blocks() const { return kernel_->column_blocks; }
    Scratch<float> work() const { return Scratch<float>(kernel_->work_size); }
    void rows_backward(float* spectrum, std::size_t block, float* work) const {
        kernel_->rows(spectrum, block, false, work);
    }
    void columns_backward(float* spectrum, std::size_t rows, std::size_t block, float* work) const {
        kernel_->columns_backward(spectrum, rows, block, spectrum, layout_.pitch, work);
    }

  private:
    SpectrumLayout layout_;
    std::shared_ptr<const Fft2dKernel> kernel_;
};

}  // namespace stemzoo
