#include "core/fft2d.hpp"

#include "core/isa.hpp"
#include "core/kept.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"

namespace stemzoo {

// Each lives in a translation unit of its own, compiled from fft2d_kernel.cpp.
#define STEMZOO_DECLARE_VARIANT(isa)                                      \
    namespace isa {                                                       \
    std::shared_ptr<const Fft2dKernel> make_fft2d(const SpectrumLayout&); \
    }
STEMZOO_DECLARE_VARIANT(isa_baseline)
#ifdef STEMZOO_X86_VARIANTS
STEMZOO_DECLARE_VARIANT(isa_avx2)
STEMZOO_DECLARE_VARIANT(isa_avx512)
#endif

namespace {

// No vector is wider, in float32.
constexpr std::size_t widest = 16;

std::size_t rounded_up(std::size_t n) { return (n + widest - 1) / widest * widest; }

std::shared_ptr<const Fft2dKernel> make(Shape image) {
    const SpectrumLayout layout(image);
    switch (chosen_isa()) {
#ifdef STEMZOO_X86_VARIANTS
        case Isa::avx512:
            return isa_avx512::make_fft2d(layout);
        case Isa::avx2:
            return isa_avx2::make_fft2d(layout);
#endif
        default:
            return isa_baseline::make_fft2d(layout);
    }
}

// Twiddle factors cost as much as a transform.
std::shared_ptr<const Fft2dKernel> kernel_for(Shape image) {
    static Kept<Shape, Fft2dKernel, 32> kept;  // a pair of frames needs some eight
    return kept.get(image, make);
}

template <typename Body>
void each_block(std::size_t blocks, std::size_t work_size, unsigned threads, Body body) {
    parallel_for(blocks, threads, 1, [&](std::size_t begin, std::size_t end) {
        const Scratch<float> work(work_size);
        for (std::size_t block = begin; block < end; ++block) body(block, work.data());
    });
}

}  // namespace

// One vector more than needed, or rows of a power of two would share a few cache lines.
SpectrumLayout::SpectrumLayout(Shape shape)
    : image(shape),
      rows(shape.rows / 2 + 1),
      pitch(rounded_up(shape.cols) + widest),
      size(rows * 2 * pitch) {}

Fft2d::Fft2d(Shape image) : layout_(image), kernel_(kernel_for(image)) {}

void Fft2d::forward(const float* image, float* spectrum, unsigned threads,
                    const Fading* fading) const {
    const Fft2dKernel& k = *kernel_;
    threads = worthwhile_threads(layout_.image.size(), pixels_a_thread, threads);
    each_block(k.column_blocks, k.work_size, threads, [&](std::size_t block, float* work) {
        k.columns_forward(image, fading, block, spectrum, work);
    });
    each_block(k.row_blocks, k.work_size, threads,
               [&](std::size_t block, float* work) { k.rows(spectrum, block, true, work); });
}

void Fft2d::backward(float* spectrum, float* image, unsigned threads) const {
    const Fft2dKernel& k = *kernel_;
    threads = worthwhile_threads(layout_.image.size(), pixels_a_thread, threads);
    each_block(k.row_blocks, k.work_size, threads,
               [&](std::size_t block, float* work) { k.rows(spectrum, block, false, work); });
    each_block(k.column_blocks, k.work_size, threads, [&](std::size_t block, float* work) {
        k.columns_backward(spectrum, layout_.rows, block, image, layout_.image.cols, work);
    });
}

}  // namespace stemzoo
