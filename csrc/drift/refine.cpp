#include "drift/refine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/parallel.hpp"
#include "drift/checks.hpp"
#include "drift/kernels.hpp"
#include "drift/matrix4.hpp"
#include "drift/overlap_weights.hpp"

namespace stemzoo::drift {
namespace {

constexpr double pi = 3.14159265358979323846;

// Power that exceeds the noise by less than this many of its standard deviations is noise. The mean
// of both frames' powers, each over a window, deviates by 1 / sqrt(2 window).
constexpr double significance = 5;

constexpr int most_passes = 5;
// From the start: peaks of broad structures lie that far off, and lattices are wider than twice it.
constexpr double largest_drift = 2.5;
constexpr double least_weight = 100;  // pixels

// The residuals' variance is at least this share of its mean.
constexpr double least_variance = 0.05;
// Pixels have a standard deviation near 1: below this, float32 is what is left.
constexpr double least_possible_variance = 1e-10;

double frequency(std::size_t i, std::size_t n) {
    const double k = 2 * pi * static_cast<double>(i) / static_cast<double>(n);
    return 2 * i < n ? k : k - 2 * pi;
}

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

    std::optional<Refined> refine(const double start_y, const double start_x) {
        if (!(a_.noise() > 0 && b_.noise() > 0) || !make_filter()) return std::nullopt;
        Refined d{start_y, start_x, 0, 0, 0};
        for (int pass = 0; pass < most_passes; ++pass) {
            shift(d.dy, d.dx);
            if (!solve()) return std::nullopt;
            d.dy += solution_[2];
            d.dx += solution_[3];
            if (!(std::abs(d.dy - start_y) <= largest_drift &&
                  std::abs(d.dx - start_x) <= largest_drift)) {
                return std::nullopt;
            }
            estimate_covariance(d);
            if (!(d.yy > 0 && d.xx > 0 && std::isfinite(d.yy + d.xx))) return std::nullopt;
            const bool weighted = pass > 0;
            if (weighted && settled(solution_[2], d.yy) && settled(solution_[3], d.xx)) break;
            // Again, weighted by what the first found: squares of counts scatter with the variance.
            fit_variance();
            fit_variance();
        }
        return d;
    }

  private:
    // A step so small that another pass would not change the answer.
    static bool settled(double step, double variance) {
        return std::abs(step) < 0.05 || step * step < 0.09 * variance;
    }

    // Behind the end of each row, where gradients read.
    void clear_padding(float* image) const {
        for (std::size_t row = 0; row < 2 * layout_.rows; ++row) {
            std::fill_n(image + row * layout_.pitch + shape_.cols, layout_.pitch - shape_.cols,
                        0.0f);
        }
    }

    // The Wiener filter of the frames' mean, and what weights that mean needs.
    bool make_filter() {
        const Scratch<float> response(layout_.pitch);
        std::fill_n(response.data(), layout_.pitch, 0.0f);
        for (std::size_t x = 0; x < shape_.cols; ++x) {
            response[x] = static_cast<float>(gradient_response(frequency(x, shape_.cols)));
        }
        const auto threshold = static_cast<float>(significance / std::sqrt(2.0 * window));
        double in_a = 0, in_b = 0;
        for (std::size_t ky = 0; ky < layout_.rows; ++ky) {
            FilterSums s;
            const std::size_t at = ky * layout_.pitch;
            kernels().filter(a_.excess() + at, b_.excess() + at, response.data(), threshold,
                             shape_.cols, filter_.data() + at, s);
            if (s.passes > 0) passing_rows_ = ky + 1;
            const double times = ky == 0 || 2 * ky == shape_.rows ? 1 : 2;
            const double sy = gradient_response(frequency(ky, shape_.rows));
            in_a += times * s.reference;
            in_b += times * s.moving;
            noise_yy_ += times * s.passes * sy * sy;
            noise_xx_ += times * s.passes_ss;
        }
        if (!(in_a > 0 && in_b > 0)) return false;
        const auto pixels = static_cast<double>(shape_.size());
        noise_yy_ /= pixels;
        noise_xx_ /= pixels;
        const double gain_squared = b_.noise() * in_b / (a_.noise() * in_a);
        const double from_a = a_.noise() * gain_squared, from_b = b_.noise();
        const double part = from_b / (from_a + from_b);
        a_part_ = static_cast<float>(std::sqrt(gain_squared) * part);
        b_part_ = static_cast<float>(1 - part);
        noise_share_ = part * (1 - part);
        set_variance((from_a + from_b) / pixels, 0, (from_a + from_b) / pixels);
        return true;
    }

    // The reference shifted by d, the template, and the weights of the overlap.
    void shift(double dy, double dx) {
        weights_.move(dy, dx);
        float* const phase_re = phase_.data();
        float* const phase_im = phase_re + layout_.pitch;
        std::fill_n(phase_re, 2 * layout_.pitch, 0.0f);
        for (std::size_t x = 0; x < shape_.cols; ++x) {
            const double angle = -frequency(x, shape_.cols) * dx;
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
            const double angle = -frequency(ky, shape_.rows) * dy;
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

    // Solves for offset, gain and step; see the header. The step's regressors are the moving
    // frame's own gradients: the template's are smeared beyond a particle's edge. Their noise is
    // also in the template and adds to the products of gradients, which are to be the scene's
    // alone.
    bool solve() {
        for (Moments& m : moments_) m = Moments{};
        each_row([&](std::size_t r, const PixelRow& row, double times) {
            Moments& m = moments_[r];
            kernels().moments(row, variance_, m);
            m.weight *= times;
            for (auto& of_instrument : m.total) {
                for (double& x : of_instrument) x *= times;
            }
        });
        Matrix4 sums{};
        Vector4 right{};
        double weight = 0;
        for (const Moments& m : moments_) {
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j < 4; ++j) sums[i][j] += m.total[i][j];
                right[i] += m.total[i][4];
            }
            weight += m.weight;
        }
        if (!(weight >= least_weight)) return false;
        sums[2][2] += noise_share_ * noise_yy_ * weight;
        sums[3][3] += noise_share_ * noise_xx_ * weight;
        if (!(sums[2][2] < 0 && sums[3][3] < 0)) return false;
        const std::optional<Matrix4> inverted = inverse(sums);
        if (!inverted) return false;
        inverse_ = *inverted;
        for (int i = 0; i < 4; ++i) {
            solution_[i] = 0;
            for (int j = 0; j < 4; ++j) solution_[i] += inverse_[i][j] * right[j];
        }
        return solution_[1] > 0;
    }

    void fit_variance() {
        const Fit fit{static_cast<float>(solution_[0]), static_cast<float>(solution_[1]),
                      static_cast<float>(solution_[2]), static_cast<float>(solution_[3])};
        for (ResidualSums& sums : residuals_) sums = ResidualSums{};
        each_row([&](std::size_t r, const PixelRow& row, double times) {
            ResidualSums s;
            kernels().residuals(row, variance_, fit, s);
            residuals_[r] = {times * s.one, times * s.t,      times * s.tt,        times * s.d,
                             times * s.td,  times * s.weight, times * s.weighted_d};
        });
        ResidualSums total;
        for (const ResidualSums& s : residuals_) {
            total.one += s.one;
            total.t += s.t;
            total.tt += s.tt;
            total.d += s.d;
            total.td += s.td;
            total.weight += s.weight;
            total.weighted_d += s.weighted_d;
        }
        const double mean = total.weighted_d / total.weight;
        const double determinant = total.one * total.tt - total.t * total.t;
        if (!(determinant > 1e-9 * total.one * total.tt)) return set_variance(mean, 0, mean);
        set_variance((total.tt * total.d - total.t * total.td) / determinant,
                     (total.one * total.td - total.t * total.d) / determinant, mean);
    }

    void set_variance(double constant, double slope, double mean) {
        variance_ = {static_cast<float>(constant), static_cast<float>(slope),
                     static_cast<float>(std::max(least_variance * mean, least_possible_variance))};
    }

    void estimate_covariance(Refined& d) const {
        d.yy = d.yx = d.xx = 0;
        for (const Moments& m : moments_) {
            double step[2] = {};
            for (int i = 0; i < 4; ++i) {
                double residual = m.total[i][4];
                for (int j = 0; j < 4; ++j) residual -= m.total[i][j] * solution_[j];
                step[0] += inverse_[2][i] * residual;
                step[1] += inverse_[3][i] * residual;
            }
            d.yy += step[0] * step[0];
            d.yx += step[0] * step[1];
            d.xx += step[1] * step[1];
        }
    }

    const Frame& a_;
    const Frame& b_;
    const unsigned threads_;
    const SpectrumLayout& layout_;
    const Shape shape_;

    // Of the template: its filter, the share of each frame, its noise's covariance with a frame's
    // over the residuals' variance, and what both noises' gradients make of that.
    Scratch<float> filter_;
    float a_part_ = 0, b_part_ = 0;
    double noise_share_ = 0, noise_yy_ = 0, noise_xx_ = 0;

    // Spectra, and then images in their place.
    Scratch<float> shifted_, scene_;
    Scratch<float> phase_;
    std::size_t passing_rows_ = 0;  // of the filter: beyond, it is zero
    OverlapWeights weights_;

    Variance variance_{};
    std::vector<Moments> moments_;  // one for each row
    std::vector<ResidualSums> residuals_;
    Matrix4 inverse_{};
    Vector4 solution_{};
};

}  // namespace

std::optional<Refined> refine(const Frame& reference, const Frame& moving, double dy, double dx,
                              unsigned threads) {
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
    return Pair(reference, moving, threads).refine(dy, dx);
}

}  // namespace stemzoo::drift
