// What the threads of a GPU find out of each frame alone; the twins of frame.cpp, bandpass.cpp and
// spectrum/whiteness.cpp.
#pragma once

#include "cuda/sum_terms.hpp"
#include "drift/device_spectra.hpp"
#include "drift/kernels.hpp"
#include "drift/passband.hpp"
#include "ncc/scaling.hpp"

namespace stemzoo::cuda {

// One pixel: scaled, and faded out towards the frame's edges. Frames beyond the last are zero.
struct ScaleAndFade {
    FrameGrid grid;
    const float* clean;  // [f][row][x]
    std::size_t count;
    const ncc::Scaling* scalings;
    const float *down, *across;  // the taper
    float *pixels, *faded;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t f = at.y, row = at.z;
        float scaled = 0;
        if (f < count) {
            const double x = clean[(f * grid.image.rows + row) * grid.image.cols + at.x];
            scaled = static_cast<float>((x - scalings[f].offset) * scalings[f].scale);
        }
        const std::size_t to = grid.pixel(f, row, at.x);
        pixels[to] = scaled;
        faded[to] = scaled * (down[row] * across[at.x]);
    }
};

// Power summed over neighbours along kx.
struct PowerLine {
    FrameGrid grid;
    const Complex<float>* spectra;
    float* lines;

    STEMZOO_ANYWHERE void operator()(Index here) const {
        const std::size_t cols = grid.image.cols, reach = drift::power_reach;
        float sum = 0;
        for (std::size_t i = 0; i <= 2 * reach; ++i) {
            const std::size_t kx = (here.x + cols + i - reach) % cols;
            sum += power_of(at(grid, spectra, here.y, here.z, kx));
        }
        lines[grid.place(here.y, here.z, here.x)] = sum;
    }
};

struct Total {
    double value = 0;
    STEMZOO_ANYWHERE void join(const Total& other) { value += other.value; }
};

// Of the lines where neither axis leaves room for a scene; see Frame::measure_power.
struct CornerPower {
    using Sum = Total;
    static constexpr unsigned threads = 256;
    FrameGrid grid;
    const float* lines;

    STEMZOO_ANYWHERE Total operator()(Index block, Index blocks, unsigned thread) const {
        const std::size_t rows = grid.image.rows, cols = grid.image.cols;
        const std::size_t begin = 3 * cols / 8 + 1, end = cols - 3 * cols / 8;
        Total sum;
        for (std::size_t ky = 3 * rows / 8 + 1 + block.x; ky <= rows / 2; ky += blocks.x) {
            for (std::size_t kx = begin + thread; kx < end; kx += threads) {
                sum.value += static_cast<double>(at(grid, lines, block.y, ky, kx));
            }
        }
        return sum;
    }
};

// The noise of each frame, and by what each column of its powers is to be multiplied: one over the
// white noise and that of rows that jitter.
struct ScaleColumns {
    FrameGrid grid;
    const float* lines;
    const Total* corners;  // `parts` of each frame
    unsigned parts;
    double* noise;
    float* scales;  // [f][kx]

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = grid.image.rows, cols = grid.image.cols, f = at.y;
        constexpr double in_line = 2 * drift::power_reach + 1;
        const auto above = static_cast<double>(rows / 2 - 3 * rows / 8),
                   across = static_cast<double>(cols - 3 * cols / 8 - (3 * cols / 8 + 1));
        Total corner;
        for (unsigned part = 0; part < parts; ++part) corner.join(corners[f * parts + part]);
        const double white = corner.value / (above * across * in_line);
        if (at.x == 0) noise[f] = white;
        double both = 0;
        for (std::size_t ky = 3 * rows / 8 + 1; ky <= rows / 2; ++ky) {
            both += static_cast<double>(lines[grid.place(f, ky, at.x)]) +
                    static_cast<double>(lines[grid.place(f, grid.opposite_row(ky), at.x)]);
        }
        const double level = both / (2 * above * in_line), most = level > white ? level : white;
        scales[f * grid.half() + at.x] =
            most > 0 ? static_cast<float>(1 / (most * in_line * in_line)) : 0.0f;
    }
};

// The mean power around each frequency over the noise, less one.
struct Excess {
    FrameGrid grid;
    const float *lines, *scales;
    float* excess;

    STEMZOO_ANYWHERE void operator()(Index at) const {
        const std::size_t rows = grid.image.rows, reach = drift::power_reach;
        float sum = 0;
        for (std::size_t i = 0; i <= 2 * reach; ++i) {
            sum += lines[grid.place(at.y, (at.z + rows + i - reach) % rows, at.x)];
        }
        excess[grid.place(at.y, at.z, at.x)] = sum * scales[at.y * grid.half() + at.x] - 1;
    }
};

// What a passband is made of, in memory of the device; see drift/bandpass.hpp.
struct DeviceBand {
    const float *x2, *y2, *along, *down;
    float slow2, loud, shown2;

    STEMZOO_ANYWHERE float pass(std::size_t ky, std::size_t kx) const {
        return drift::passband(x2[kx], y2[ky], along[kx], down[ky], slow2);
    }
};

struct BandSum : drift::BandPower {
    STEMZOO_ANYWHERE void join(const BandSum& other) {
        total += other.total;
        beyond += other.beyond;
    }
};

// Over ky up to half the height and every kx.
struct BandTerms {
    using Sum = BandSum;
    static constexpr unsigned threads = 256;
    FrameGrid grid;
    const Complex<float>* faded;
    const double* noise;
    DeviceBand band;

    STEMZOO_ANYWHERE BandSum operator()(Index block, Index blocks, unsigned thread) const {
        const float loud = band.loud * static_cast<float>(noise[block.y]);
        BandSum sum;
        for (std::size_t ky = block.x; ky <= grid.image.rows / 2; ky += blocks.x) {
            for (std::size_t kx = thread; kx < grid.image.cols; kx += threads) {
                const float here = power_of(at(grid, faded, block.y, ky, kx));
                if (!(here > loud)) continue;
                const auto passes = static_cast<double>(here * band.pass(ky, kx));
                sum.total += passes;
                if (band.x2[kx] > band.shown2 || band.y2[ky] > band.shown2) sum.beyond += passes;
            }
        }
        return sum;
    }
};

}  // namespace stemzoo::cuda
