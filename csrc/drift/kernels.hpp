// The inner loops of looks, refinement and resampling, row by row, compiled once for each
// instruction set.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/portable.hpp"
#include "drift/taper_weight.hpp"

namespace stemzoo::drift {

// Rows of pixels are read this far past their last one.
constexpr std::size_t overread = 32;

// Power is averaged over a square of frequencies, of which `power_reach` lie on either side.
constexpr std::size_t power_reach = 3;
constexpr std::size_t window = (2 * power_reach + 1) * (2 * power_reach + 1);

// The template's gradient is (8 (f1 - f-1) - (f2 - f-2)) / 12; this is its Fourier transform over
// i.
STEMZOO_ANYWHERE inline double gradient_response(double k) {
    return (8 * std::sin(k) - std::sin(2 * k)) / 6;
}

struct PixelRow {
    const float* moving;
    const float* shifted;  // the reference, shifted onto the moving frame
    const float* scene;    // the template
    std::ptrdiff_t pitch,
        scene_pitch;       // from one row to the next, of the moving frame and template
    const float* weights;  // zero outside [margin, cols - margin), and readable past the end
    std::size_t cols;
};

// Variance of moving - shifted where the template is T: max(a + b T, least).
struct Variance {
    float a, b, least;
};

// Sums over pixels of instrument i (1, T, dT/dy, dT/dx, over the variance) times j (1, shifted,
// -dM/dy, -dM/dx, M, the moving frame).
struct Moments {
    double total[4][5] = {};
    double weight = 0;
};

// moving = offset + gain * shifted - dy * gradient_y - dx * gradient_x
struct Fit {
    float offset, gain, dy, dx;
};

// Weighted sums that the regression of squared residuals on the template needs.
struct ResidualSums {
    double one = 0, t = 0, tt = 0, d = 0, td = 0;
    double weight = 0, weighted_d = 0;
};

struct FilterSums {
    double reference = 0, moving = 0;  // signal that passes, times each frame's power
    double passes = 0, passes_ss = 0;  // the filter, and times the squared response
};

struct ShiftRow {
    const float *a_re, *a_im, *b_re, *b_im, *filter;
    const float *phase_re, *phase_im;  // along the row
    float row_re, row_im;              // the row's own
    float a_part, b_part;              // of each frame in the template
    float *shifted_re, *shifted_im, *scene_re, *scene_im;
    std::size_t cols;
};

// One row of a spectrum, and what the band-pass makes of it.
struct BandRow {
    const float *re, *im;
    const float* along;  // the low-pass along the row
    const float* x2;     // squared frequencies along the row, cycles per pixel
    float down, y2;      // the row's own
    float slow2;         // squared: what is slower is shading
};

// Power that passes, of frequencies that stand out of the noise; and its part beyond a frequency.
struct BandPower {
    double total = 0, beyond = 0;
};

// Sums over the overlap of two rows.
struct OverlapSums {
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
};

// One row of the product of two spectra, turned by a drift along the row: its sum, and those of the
// product times the frequency along the row and times its square.
struct TurnedRow {
    const float *a_re, *a_im, *b_re, *b_im;
    const float *phase_re, *phase_im, *frequency;
};
struct TurnedSums {
    double re[3], im[3];
};

class Kernels {
  public:
    virtual ~Kernels() = default;
    // Magnitudes.
    virtual void heights(const float* re, const float* im, std::size_t count, float* out) const = 0;
    // Of values none of which counts for more than the cap.
    virtual double capped_sum(const float* values, std::size_t count, float cap) const = 0;
    // asinh, in place.
    virtual void compress(float* values, std::size_t count) const = 0;
    // Squared magnitudes, summed over `power_reach` neighbours on either side, on a circle.
    virtual void power(const float* re, const float* im, std::size_t cols, float* out) const = 0;
    // Writes the Wiener filter of the mean of both frames.
    virtual void filter(const float* a, const float* b, const float* response, float threshold,
                        std::size_t cols, float* h, FilterSums& sums) const = 0;
    virtual void shift(const ShiftRow& row) const = 0;
    // The reference alone, where the template has nothing.
    virtual void shift_reference(const ShiftRow& row) const = 0;
    // conj(a) b
    virtual void product(const float* a_re, const float* a_im, const float* b_re, const float* b_im,
                         std::size_t count, float* re, float* im) const = 0;
    // Of conj(a) b.
    virtual TurnedSums turned(const TurnedRow& row, std::size_t cols) const = 0;
    // Adds `weight` times conj(a) b.
    virtual void add_product(const float* a_re, const float* a_im, const float* b_re,
                             const float* b_im, std::size_t count, float weight, float* re,
                             float* im) const = 0;
    // Frequencies whose power is above `loud`; beyond where a squared frequency is above `shown2`
    // along either axis.
    virtual BandPower band_power(const BandRow& row, std::size_t cols, float loud,
                                 float shown2) const = 0;
    // By the root of the passband, times `scale`, of `count` frequencies from `begin` on.
    virtual void band_pass(const BandRow& row, std::size_t begin, std::size_t count, float scale,
                           float* re, float* im) const = 0;
    // A Hann window along one axis, laid on by its three frequencies: half of each less a quarter
    // of its turned neighbours, on a circle.
    virtual void hann_along(const float* re, const float* im, std::size_t cols, float turn_re,
                            float turn_im, float* out_re, float* out_im) const = 0;
    // The same across rows, and magnitudes. A row is `pitch` real parts, then imaginary ones.
    virtual void hann_heights(const float* before, const float* here, const float* after,
                              std::size_t pitch, std::size_t cols, float turn_re, float turn_im,
                              float* out) const = 0;
    // Sums of x y, less those of what exceeds the limits.
    virtual double common_power(const float* x, const float* y, std::size_t count, float limit_x,
                                float limit_y) const = 0;
    // Sets marks to other than 0 where a value is above 0 and higher than the eight around it, of
    // equal ones at the last.
    virtual void mark_maxima(const float* row, std::size_t pitch, std::size_t count,
                             std::int32_t* marks) const = 0;
    virtual void overlap(const float* a, const float* b, std::size_t count,
                         OverlapSums& sums) const = 0;
    virtual void moments(const PixelRow& row, Variance variance, Moments& sums) const = 0;
    virtual void residuals(const PixelRow& row, Variance variance, Fit fit,
                           ResidualSums& sums) const = 0;
    // out[x] is the sum over i of weights[i] from[i pitch + x].
    virtual void weighted_sum(const float* from, std::size_t pitch, const float* weights,
                              std::size_t terms, std::size_t count, float* out) const = 0;
};

const Kernels& kernels();

}  // namespace stemzoo::drift
