// What the threads of a GPU do for the power that frames have in common by chance; the twins of
// powers.cpp, levels.cpp and chance.cpp.
#pragma once

#include <cmath>
#include <cstdint>

#include "cuda/sum_terms.hpp"
#include "drift/device_spectra.hpp"
#include "drift/frame_kernels.hpp"
#include "drift/levels.hpp"

namespace stemzoo::cuda {

using drift::Rings;

// The magnitude at one frequency as if pixels faded out towards the frame's edges by a Hann window,
// whose middle lies half a pixel from a pixel: three frequencies along either axis.
struct HannHeight {
    FrameGrid grid;
    const Complex<float>* spectra;
    float down_re, down_im, along_re, along_im;  // what turns the neighbours
    float* heights;

    STEMZOO_ANYWHERE void operator()(Index here) const {
        const std::size_t rows = grid.image.rows, f = here.y;
        const Complex<float> value =
            faded(along(f, (here.z + rows - 1) % rows, here.x), along(f, here.z, here.x),
                  along(f, (here.z + 1) % rows, here.x), down_re, down_im);
        heights[grid.place(f, here.z, here.x)] = std::sqrt(power_of(value));
    }

  private:
    STEMZOO_ANYWHERE static Complex<float> faded(Complex<float> before, Complex<float> value,
                                                 Complex<float> after, float re, float im) {
        return {
            value.re * 0.5f - ((before.re + after.re) * re + (after.im - before.im) * im) * 0.25f,
            value.im * 0.5f - ((before.im + after.im) * re + (before.re - after.re) * im) * 0.25f};
    }
    STEMZOO_ANYWHERE Complex<float> along(std::size_t f, std::size_t ky, std::size_t kx) const {
        const std::size_t cols = grid.image.cols;
        return faded(at(grid, spectra, f, ky, (kx + cols - 1) % cols), at(grid, spectra, f, ky, kx),
                     at(grid, spectra, f, ky, (kx + 1) % cols), along_re, along_im);
    }
};

// The frequencies of each ring, ring after ring, as ky * half + kx of what is held; those from
// `twice` on count twice.
struct DeviceRings {
    const std::uint32_t* places;
    std::uint32_t begin[Rings::count + 1], twice[Rings::count];

    STEMZOO_ANYWHERE std::size_t place(const FrameGrid& grid, std::size_t f, std::size_t i) const {
        return grid.place(f, places[i] / grid.half(), places[i] % grid.half());
    }
    STEMZOO_ANYWHERE double times(unsigned ring, std::size_t i) const {
        return i < twice[ring] ? 1 : 2;
    }
};

// Of one ring of one frame: its whole power, and the power that only a lattice has.
struct RingPower {
    double total;
    float lattice;
};

// Block (ring, frame): the mean height again and again, without what stands far above it.
struct RingLevel {
    static constexpr unsigned threads = 128, halvings = 7;
    static constexpr unsigned round = 1 + halvings;
    struct Shared {
        double part[threads];
        float cap, level;
    };

    FrameGrid grid;
    DeviceRings rings;
    const float* heights;
    float standing_out;
    RingPower* powers;  // [f][ring]

    STEMZOO_ANYWHERE bool operator()(unsigned step, Index block, Index, unsigned thread,
                                     Shared& shared) const {
        const unsigned number = step / round, stage = step % round;
        const bool last = number == drift::level_rounds + 1;  // which sums the power instead
        if (stage == 0) {
            const float cap = number == 0 ? INFINITY : shared.cap;
            shared.part[thread] = part(block, thread, cap, last);
            return true;
        }
        const unsigned half = threads >> stage;
        if (thread < half) shared.part[thread] += shared.part[thread + half];
        if (stage < halvings) return true;
        if (thread == 0) {
            if (last) {
                const float limit = standing_out * shared.level;
                powers[block.y * Rings::count + block.x] = {shared.part[0], limit * limit};
            } else {
                const double there = members(block.x);
                const auto level = static_cast<float>(shared.part[0] / (there > 1 ? there : 1.0));
                shared.level = level > drift::least_level ? level : drift::least_level;
                shared.cap = drift::level_clip * level;
            }
        }
        return !last;
    }

  private:
    STEMZOO_ANYWHERE double members(unsigned ring) const {
        const double once = rings.twice[ring] - rings.begin[ring];
        return once + 2.0 * (rings.begin[ring + 1] - rings.twice[ring]);
    }
    STEMZOO_ANYWHERE double part(Index block, unsigned thread, float cap, bool power) const {
        double sum = 0;
        for (std::size_t i = rings.begin[block.x] + thread; i < rings.begin[block.x + 1];
             i += threads) {
            const float height = heights[rings.place(grid, block.y, i)];
            const float counted = power ? height * height : height < cap ? height : cap;
            sum += rings.times(block.x, i) * static_cast<double>(counted);
        }
        return sum;
    }
};

// The power that a frame and the reference have in common at the same frequencies, less what both
// have in a lattice: block (ring, frame).
struct CommonPower {
    using Sum = Total;
    static constexpr unsigned threads = 128;
    FrameGrid grid;
    DeviceRings rings;
    const float *reference, *frames;  // heights
    const RingPower *reference_powers, *powers;

    STEMZOO_ANYWHERE Total operator()(Index block, Index, unsigned thread) const {
        const unsigned ring = block.x;
        const float limit_a = reference_powers[ring].lattice,
                    limit_b = powers[block.y * Rings::count + ring].lattice;
        Total sum;
        for (std::size_t i = rings.begin[ring] + thread; i < rings.begin[ring + 1]; i += threads) {
            const float ha = reference[rings.places[i]], hb = frames[rings.place(grid, block.y, i)];
            const float a = ha * ha, b = hb * hb;
            const float above_a = a > limit_a ? a - limit_a : 0.0f,
                        above_b = b > limit_b ? b - limit_b : 0.0f;
            sum.value += rings.times(ring, i) * static_cast<double>(a * b - above_a * above_b);
        }
        return sum;
    }
};

}  // namespace stemzoo::cuda
