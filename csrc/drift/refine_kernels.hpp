// What the threads of a GPU do for a refinement; the twins of refine.cpp and row_kernels.cpp.
#pragma once

#include "cuda/sum_terms.hpp"
#include "drift/device_spectra.hpp"
#include "drift/kernels.hpp"
#include "drift/regression.hpp"

namespace stemzoo::cuda {

// Of one frame in one pass.
struct RefineStep {
    bool active = false;
    double dy = 0, dx = 0;  // by which the reference is shifted
    float reference_part = 0, moving_part = 0;
    drift::Variance variance{};
    drift::Fit fit{};
};

// Of the mean of both frames' excess powers, the signal, and of that what a Wiener filter passes.
struct Passed {
    float signal, passed;

    STEMZOO_ANYWHERE Passed(float a, float b, float threshold) {
        const float mean = (a + b) * 0.5f - threshold;
        signal = mean > 0 ? mean : 0.0f;
        passed = signal / (signal + 0.5f);
    }
};

struct FilterSum : drift::FilterTotals {
    STEMZOO_ANYWHERE void join(const FilterSum& other) {
        reference += other.reference;
        moving += other.moving;
        passes_yy += other.passes_yy;
        passes_xx += other.passes_xx;
    }
};

// Over the whole spectrum.
struct FilterTerms {
    using Sum = FilterSum;
    static constexpr unsigned threads = 256;
    FrameGrid grid;
    const float *reference, *frames;  // excess powers
    float threshold;
    const RefineStep* steps;

    STEMZOO_ANYWHERE FilterSum operator()(Index block, Index blocks, unsigned thread) const {
        FilterSum sum;
        if (!steps[block.y].active) return sum;
        for (std::size_t ky = block.x; ky < grid.image.rows; ky += blocks.x) {
            const double sy = response(ky, grid.image.rows);
            for (std::size_t kx = thread; kx < grid.half(); kx += threads) {
                const float a = reference[ky * grid.half() + kx],
                            b = frames[grid.place(block.y, ky, kx)];
                const Passed here(a, b, threshold);
                const double times = grid.times(kx), sx = response(kx, grid.image.cols);
                sum.reference += times * static_cast<double>(here.signal * a);
                sum.moving += times * static_cast<double>(here.signal * b);
                sum.passes_yy += times * static_cast<double>(here.passed) * sy * sy;
                sum.passes_xx += times * static_cast<double>(here.passed) * sx * sx;
            }
        }
        return sum;
    }

  private:
    STEMZOO_ANYWHERE static double response(std::size_t i, std::size_t n) {
        return drift::gradient_response(drift::angular_frequency(i, n));
    }
};

// One frequency of the shifted reference and of the template.
struct ShiftSpectra {
    FrameGrid grid;
    const Complex<float>*reference, *frames;
    const float *reference_excess, *excess;
    float threshold;
    const RefineStep* steps;
    Complex<float>*shifted, *scenes;

    STEMZOO_ANYWHERE void operator()(Index here) const {
        const RefineStep& step = steps[here.y];
        const std::size_t own = here.z * grid.half() + here.x,
                          place = grid.place(here.y, here.z, here.x);
        if (!step.active) {
            shifted[place] = scenes[place] = {0, 0};
            return;
        }
        const Complex<float> down = phase(here.z, grid.image.rows, step.dy),
                             along = phase(here.x, grid.image.cols, step.dx),
                             turn = times(down, along), a = times(reference[own], turn),
                             b = frames[place];
        const Passed filter(reference_excess[own], excess[place], threshold);
        const float scale = 1 / static_cast<float>(grid.image.rows * grid.image.cols);
        shifted[place] = {a.re * scale, a.im * scale};
        const float part = filter.passed * scale;
        scenes[place] = {part * (a.re * step.reference_part + b.re * step.moving_part),
                         part * (a.im * step.reference_part + b.im * step.moving_part)};
    }

  private:
    STEMZOO_ANYWHERE static Complex<float> times(Complex<float> a, Complex<float> b) {
        return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
    // The highest frequency of an even length stands for both its signs.
    STEMZOO_ANYWHERE static Complex<float> phase(std::size_t i, std::size_t n, double shift) {
        const double angle = -drift::angular_frequency(i, n) * shift;
        return {static_cast<float>(std::cos(angle)),
                2 * i == n ? 0.0f : static_cast<float>(std::sin(angle))};
    }
};

struct MomentsOfRow : drift::Moments {
    STEMZOO_ANYWHERE void join(const MomentsOfRow& other) {
        for (int i = 0; i < 4; ++i) {
            for (int j = 0; j < 5; ++j) total[i][j] += other.total[i][j];
        }
        weight += other.weight;
    }
};

struct ResidualsOfRow : drift::ResidualSums {
    STEMZOO_ANYWHERE void join(const ResidualsOfRow& other) {
        one += other.one;
        t += other.t;
        tt += other.tt;
        d += other.d;
        td += other.td;
        weight += other.weight;
        weighted_d += other.weighted_d;
    }
};

// The images of a pass: of the frames, and of what ShiftSpectra made, transformed back.
struct RefineImages {
    FrameGrid grid;
    const float *frames, *shifted, *scenes;
    const RefineStep* steps;

    // Calls add(pixel, its weight, times) for the pixels of a thread that count, of row block.x of
    // frame block.y; each counts `times` as often as its weight says.
    template <typename Add>
    STEMZOO_ANYWHERE void each_pixel(Index block, unsigned thread, unsigned threads,
                                     const Add& add) const {
        const std::size_t f = block.y, row = block.x, rows = grid.image.rows,
                          cols = grid.image.cols;
        if (!steps[f].active || row < drift::margin || row + drift::margin >= rows) return;
        const auto times = static_cast<double>(drift::taper_weight(steps[f].dy, rows, row));
        if (!(times > 0)) return;
        const std::size_t begin = grid.pixel(f, row, 0);
        for (std::size_t x = drift::margin + thread; x + drift::margin < cols; x += threads) {
            const float w = drift::taper_weight(steps[f].dx, cols, x);
            if (w > 0) add(begin + x, w, times);
        }
    }
    STEMZOO_ANYWHERE std::ptrdiff_t pitch() const {
        return static_cast<std::ptrdiff_t>(grid.chunk * grid.image.cols);
    }
    STEMZOO_ANYWHERE static float gradient(const float* t, std::ptrdiff_t step) {
        return (t[step] - t[-step]) * (2.0f / 3.0f) - (t[2 * step] - t[-2 * step]) * (1.0f / 12.0f);
    }
    STEMZOO_ANYWHERE static float variance(const drift::Variance& v, float t) {
        const float there = t * v.b + v.a;
        return there > v.least ? there : v.least;
    }
};

// Block (row, frame).
struct MomentTerms {
    using Sum = MomentsOfRow;
    static constexpr unsigned threads = 128;
    RefineImages images;

    STEMZOO_ANYWHERE MomentsOfRow operator()(Index block, Index, unsigned thread) const {
        MomentsOfRow sum;
        const drift::Variance variance = images.steps[block.y].variance;
        images.each_pixel(block, thread, threads, [&](std::size_t at, float w, double times) {
            const float *const scene = images.scenes + at, *const moving = images.frames + at;
            const float t = *scene, u = w / RefineImages::variance(variance, t);
            const float with[5] = {1, images.shifted[at],
                                   -RefineImages::gradient(moving, images.pitch()),
                                   -RefineImages::gradient(moving, 1), *moving};
            const float instruments[4] = {u, u * t,
                                          u * RefineImages::gradient(scene, images.pitch()),
                                          u * RefineImages::gradient(scene, 1)};
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j < 5; ++j) {
                    sum.total[i][j] += times * static_cast<double>(instruments[i] * with[j]);
                }
            }
            sum.weight += times * static_cast<double>(w);
        });
        return sum;
    }
};

// Block (row, frame).
struct ResidualTerms {
    using Sum = ResidualsOfRow;
    static constexpr unsigned threads = 128;
    RefineImages images;

    STEMZOO_ANYWHERE ResidualsOfRow operator()(Index block, Index, unsigned thread) const {
        ResidualsOfRow sum;
        const drift::Variance variance = images.steps[block.y].variance;
        const drift::Fit fit = images.steps[block.y].fit;
        images.each_pixel(block, thread, threads, [&](std::size_t at, float w, double times) {
            const float* const scene = images.scenes + at;
            const float t = *scene, v = RefineImages::variance(variance, t);
            const float d = images.frames[at] - images.shifted[at] * fit.gain - fit.offset +
                            RefineImages::gradient(scene, images.pitch()) * fit.dy +
                            RefineImages::gradient(scene, 1) * fit.dx;
            const float u = w / (v * v), d2 = d * d;
            const auto add = [times](double& to, float value) {
                to += times * static_cast<double>(value);
            };
            add(sum.one, u);
            add(sum.t, u * t);
            add(sum.tt, u * t * t);
            add(sum.d, u * d2);
            add(sum.td, u * t * d2);
            add(sum.weight, w);
            add(sum.weighted_d, w * d2);
        });
        return sum;
    }
};

}  // namespace stemzoo::cuda
