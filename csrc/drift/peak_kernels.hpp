// What the threads of a GPU do for the peaks of frames' correlations with a reference, and for the
// sums over one overlap; the twins of peaks.cpp and bandpass.cpp.
#pragma once

#include "cuda/sum_terms.hpp"
#include "drift/device_spectra.hpp"
#include "drift/frame_kernels.hpp"

namespace stemzoo::cuda {

// One frequency of the band-passed correlation, on a grid of every pixel or of every other one:
// that shows the lower half of the frequencies along either axis, without the highest of them.
struct Correlate {
    FrameGrid whole, grid;
    const Complex<float>*reference, *frames;  // of faded frames; the reference is a chunk of one
    DeviceBand band;
    Complex<float>* products;

    STEMZOO_ANYWHERE void operator()(Index here) const {
        const std::size_t rows = grid.image.rows, cols = grid.image.cols, f = here.y;
        Complex<float>& product = products[grid.place(f, here.z, here.x)];
        product = {0, 0};
        std::size_t ky = here.z;
        const std::size_t kx = here.x;
        if (rows < whole.image.rows) {
            if (2 * ky == rows || 2 * kx == cols) return;
            if (2 * ky > rows) ky = whole.image.rows - (rows - ky);
        }
        const Complex<float> a = reference[FrameGrid{whole.image, 1}.place(0, ky, kx)],
                             b = frames[whole.place(f, ky, kx)];
        const float pass =
            band.pass(ky, kx) / static_cast<float>(whole.image.rows * whole.image.cols);
        product = {(a.re * b.re + a.im * b.im) * pass, (a.re * b.im - a.im * b.re) * pass};
    }
};

// The lags of a cyclic correlation up to `cut` points, zero lag in the middle.
struct CutLags {
    FrameGrid grid;
    Shape cut;
    const float* cyclic;
    float* surfaces;  // one after the other

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = grid.image.rows, cols = grid.image.cols;
        const std::size_t height = 2 * cut.rows + 1, width = 2 * cut.cols + 1;
        const std::size_t row = (at.y + rows - cut.rows) % rows,
                          x = (at.x + cols - cut.cols) % cols;
        surfaces[(at.z * height + at.y) * width + at.x] = cyclic[grid.pixel(at.z, row, x)];
    }
};

struct OverlapTotal : drift::OverlapSums {
    STEMZOO_ANYWHERE void join(const OverlapTotal& other) {
        a += other.a;
        b += other.b;
        aa += other.aa;
        bb += other.bb;
        ab += other.ab;
    }
};

// Where the reference lies when the frame's pixel (row, x) is (row - dy, x - dx) of it, px.
struct WholeShift {
    std::ptrdiff_t dy, dx;

    STEMZOO_ANYWHERE static std::size_t common(std::ptrdiff_t shift, std::size_t side) {
        const auto away = static_cast<std::size_t>(shift < 0 ? -shift : shift);
        return away < side ? side - away : 0;
    }
};

struct OverlapTerms {
    using Sum = OverlapTotal;
    static constexpr unsigned threads = 256;
    FrameGrid grid;
    const float *reference, *frames;
    const WholeShift* shifts;

    STEMZOO_ANYWHERE OverlapTotal operator()(Index block, Index blocks, unsigned thread) const {
        const WholeShift shift = shifts[block.y];
        const std::size_t high = WholeShift::common(shift.dy, grid.image.rows),
                          wide = WholeShift::common(shift.dx, grid.image.cols);
        const auto top = shift.dy < 0 ? -shift.dy : 0, left = shift.dx < 0 ? -shift.dx : 0;
        OverlapTotal sum;
        if (high == 0 || wide == 0) return sum;
        for (std::size_t r = block.x; r < high; r += blocks.x) {
            const auto row = static_cast<std::size_t>(top) + r;
            const float* const a = reference + row * grid.image.cols + left;
            const float* const b =
                frames + grid.pixel(block.y, row + static_cast<std::size_t>(shift.dy), 0) + left +
                shift.dx;
            for (std::size_t i = thread; i < wide; i += threads) {
                const auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
                sum.a += x;
                sum.b += y;
                sum.aa += x * x;
                sum.bb += y * y;
                sum.ab += x * y;
            }
        }
        return sum;
    }
};

}  // namespace stemzoo::cuda
