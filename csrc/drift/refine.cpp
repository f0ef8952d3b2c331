#include "drift/refine.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/parallel.hpp"
#include "drift/checks.hpp"
#include "drift/kernels.hpp"
#include "drift/overlap_weights.hpp"
#include "drift/regression.hpp"

namespace stemzoo::drift {
namespace {

class Pair {
  public:
    Pair(const Frame& reference, const Frame& moving, unsigned threads)
        : a_(reference),
          b_(moving),
          threads_(worthwhile_threads(reference.shape().size(), pixels_a_thread, threads)),
          layout_(reference.fft().layout()),
          shape_(layout_.image),
          filter_(layout_.rows * layout_.pitch),
          shifted_(layout_.size),
          scene_(layout_.size),
          phase_(2 * layout_.pitch),
          weights_(reference, moving),
          moments_(shape_.rows),
          residuals_(shape_.rows) {
        clear_padding(shifted_.data());
        clear_padding(scene_.data());
    }

    std::optional<Refined> refine(double start_y, double start_x, Start start) {
        if (!(a_.noise() > 0 && b_.noise() > 0)) return std::nullopt;
        Regression regression(shape_.size(), start_y, start_x, start);
        if (!regression.begin(a_.noise(), b_.noise(), make_filter())) return std::nullopt;
        for (bool first = true;; first = false) {
            shift(regression);
            if (first && start == Start::exact) fit_variance(regression);
            measure_moments(regression.variance());
            switch (regression.solve(moments_)) {
                case Regression::Next::failed:
                    return std::nullopt;
                case Regression::Next::done:
                    return regression.found();
                case Regression::Next::go_on:
                    break;
            }
            fit_variance(regression);
        }
    }

  private:
    void fit_variance(Regression& regression) {
        for (int time = 0; time < 2; ++time) {
            measure_residuals(regression.variance(), regression.fit());
            regression.fit_variance(residuals_);
        }
    }

    // Behind the end of each row, where gradients read.
    void clear_padding(float* image) const {
        for (std::size_t row = 0; row < 2 * layout_.rows; ++row) {
            std::fill_n(image + row * layout_.pitch + shape_.cols, layout_.pitch - shape_.cols,
                        0.0f);
        }
    }

    // The Wiener filter of the frames' mean, and what it passes.
    FilterTotals make_filter() {
        const Scratch<float> response(layout_.pitch);
        std::fill_n(response.data(), layout_.pitch, 0.0f);
        for (std::size_t x = 0; x < shape_.cols; ++x) {
            response[x] = static_cast<float>(gradient_response(angular_frequency(x, shape_.cols)));
        }
        const auto threshold = static_cast<float>(significance / std::sqrt(2.0 * window));
        FilterTotals totals;
        for (std::size_t ky = 0; ky < layout_.rows; ++ky) {
            FilterSums s;
            const std::size_t at = ky * layout_.pitch;
            kernels().filter(a_.excess() + at, b_.excess() + at, response.data(), threshold,
                             shape_.cols, filter_.data() + at, s);
            if (s.passes > 0) passing_rows_ = ky + 1;
            const double times = ky == 0 || 2 * ky == shape_.rows ? 1 : 2;
            const double sy = gradient_response(angular_frequency(ky, shape_.rows));
            totals.reference += times * s.reference;
            totals.moving += times * s.moving;
            totals.passes_yy += times * s.passes * sy * sy;
            totals.passes_xx += times * s.passes_ss;
        }
        return totals;
    }

    // The reference shifted by d, the template, and the weights of the overlap.
    void shift(const Regression& regression) {
        const double dy = regression.found().dy, dx = regression.found().dx;
        a_part_ = regression.reference_part();
        b_part_ = regression.moving_part();
        weights_.move(dy, dx);
        float* const phase_re = phase_.data();
        float* const phase_im = phase_re + layout_.pitch;
        std::fill_n(phase_re, 2 * layout_.pitch, 0.0f);
        for (std::size_t x = 0; x < shape_.cols; ++x) {
            const double angle = -angular_frequency(x, shape_.cols) * dx;
            phase_re[x] = static_cast<float>(std::cos(angle));
            // The highest frequency of an even length stands for both its signs.
            phase_im[x] = 2 * x == shape_.cols ? 0.0f : static_cast<float>(std::sin(angle));
        }
        make_images(dy);
    }

    // Row by row of frequencies, from both spectra to both images. Where nothing passes the filter,
    // the template's spectrum is zero.
    void make_images(double dy) {
        const Fft2d& fft = a_.fft();
        float *const shifted = shifted_.data(), *const scene = scene_.data();
        const std::size_t step = fft.rows_a_block(), blocks = fft.column_blocks();
        in_parts(fft.row_blocks(), [&](std::size_t first, std::size_t last) {
            const Scratch<float> work = fft.work();
            for (std::size_t block = first; block < last; ++block) {
                const std::size_t begin = block * step;
                const bool passes = begin < passing_rows_;
                shift_rows(dy, begin, std::min(begin + step, layout_.rows), passes);
                fft.rows_backward(shifted, block, work.data());
                if (passes) fft.rows_backward(scene, block, work.data());
            }
        });
        in_parts(2 * blocks, [&](std::size_t first, std::size_t last) {
            const Scratch<float> work = fft.work();
            for (std::size_t i = first; i < last; ++i) {
                if (i < blocks) {
                    fft.columns_backward(shifted, layout_.rows, i, work.data());
                } else {
                    fft.columns_backward(scene, passing_rows_, i - blocks, work.data());
                }
            }
        });
    }

    void shift_rows(double dy, std::size_t begin, std::size_t end, bool passes) {
        float *const shifted = shifted_.data(), *const scene = scene_.data();
        for (std::size_t ky = begin; ky < end; ++ky) {
            const double angle = -angular_frequency(ky, shape_.rows) * dy;
            const ShiftRow row{layout_.real(a_.spectrum(), ky),
                               layout_.imaginary(a_.spectrum(), ky),
                               layout_.real(b_.spectrum(), ky),
                               layout_.imaginary(b_.spectrum(), ky),
                               filter_.data() + ky * layout_.pitch,
                               phase_.data(),
                               phase_.data() + layout_.pitch,
                               static_cast<float>(std::cos(angle)),
                               static_cast<float>(std::sin(angle)),
                               a_part_,
                               b_part_,
                               layout_.real(shifted, ky),
                               layout_.imaginary(shifted, ky),
                               layout_.real(scene, ky),
                               layout_.imaginary(scene, ky),
                               shape_.cols};
            if (passes) {
                kernels().shift(row);
            } else {
                kernels().shift_reference(row);
            }
        }
    }

    template <typename F>
    void in_parts(std::size_t count, const F& f) const {
        parallel_for(count, threads_, 1, f);
    }

    // Calls f(row, its weights along columns, its own weight) for each row that counts.
    template <typename F>
    void each_row(const F& f) const {
        in_parts(shape_.rows - 2 * margin, [&](std::size_t begin, std::size_t end) {
            for (std::size_t r = margin + begin; r < margin + end; ++r) {
                if (!(weights_.of_row(r) > 0)) continue;
                const std::size_t at = r * layout_.pitch;
                f(r,
                  PixelRow{b_.pixels() + r * shape_.cols, shifted_.data() + at, scene_.data() + at,
                           static_cast<std::ptrdiff_t>(shape_.cols),
                           static_cast<std::ptrdiff_t>(layout_.pitch), weights_.along(r),
                           shape_.cols},
                  static_cast<double>(weights_.of_row(r)));
            }
        });
    }

    void measure_moments(const Variance& variance) {
        for (Moments& m : moments_) m = Moments{};
        each_row([&](std::size_t r, const PixelRow& row, double times) {
            Moments& m = moments_[r];
            kernels().moments(row, variance, m);
            m.weight *= times;
            for (auto& of_instrument : m.total) {
                for (double& x : of_instrument) x *= times;
            }
        });
    }

    void measure_residuals(const Variance& variance, const Fit& fit) {
        for (ResidualSums& sums : residuals_) sums = ResidualSums{};
        each_row([&](std::size_t r, const PixelRow& row, double times) {
            ResidualSums s;
            kernels().residuals(row, variance, fit, s);
            residuals_[r] = {times * s.one, times * s.t,      times * s.tt,        times * s.d,
                             times * s.td,  times * s.weight, times * s.weighted_d};
        });
    }

    const Frame& a_;
    const Frame& b_;
    const unsigned threads_;
    const SpectrumLayout& layout_;
    const Shape shape_;

    // Of the template: its filter, and the part of each frame.
    Scratch<float> filter_;
    float a_part_ = 0, b_part_ = 0;

    // Spectra, and then images in their place.
    Scratch<float> shifted_, scene_;
    Scratch<float> phase_;
    std::size_t passing_rows_ = 0;  // of the filter: beyond, it is zero
    OverlapWeights weights_;

    std::vector<Moments> moments_;  // one for each row
    std::vector<ResidualSums> residuals_;
};

}  // namespace

std::optional<Refined> refine(const Frame& reference, const Frame& moving, double dy, double dx,
                              unsigned threads, Start start) {
    if (reference.shape() != moving.shape()) {
        throw std::invalid_argument("moving frame is " + moving.shape().text() +
                                    " pixels but the reference is " + reference.shape().text() +
                                    "; expected equal shapes");
    }
    require_finite(dy, dx);
    const Shape shape = reference.shape();
    const bool overlap = std::abs(dy) < static_cast<double>(shape.rows) &&
                         std::abs(dx) < static_cast<double>(shape.cols);
    if (!overlap) return std::nullopt;
    return Pair(reference, moving, threads).refine(dy, dx, start);
}

}  // namespace stemzoo::drift
