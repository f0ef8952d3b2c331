// The numbers of a refinement (refine.hpp): what sums over frequencies and over pixels say of the
// drift, pass by pass. Whoever has the pixels makes the sums.
#pragma once

#include <cstddef>
#include <vector>

#include "core/portable.hpp"
#include "drift/kernels.hpp"
#include "drift/matrix4.hpp"

namespace stemzoo::drift {

struct Refined {
    double dy, dx;
    double yy, yx, xx;  // covariance
};

// Power that exceeds the noise by less than this many of its standard deviations is noise. The mean
// of both frames' powers, each over a window, deviates by 1 / sqrt(2 window).
constexpr double significance = 5;

// Radians per pixel of frequency i of n, negative ones from the middle on.
STEMZOO_ANYWHERE inline double angular_frequency(std::size_t i, std::size_t n) {
    const double k = 2 * 3.14159265358979323846 * static_cast<double>(i) / static_cast<double>(n);
    return 2 * i < n ? k : k - 2 * 3.14159265358979323846;
}

// How well the start is known: to about half a pixel, or to a few hundredths. From an exact one the
// residuals of the first pass are noise, and one pass may be enough.
enum class Start { rough, exact };

// Over the whole spectrum.
struct FilterTotals {
    double reference = 0, moving = 0;     // signal that passes, times each frame's power
    double passes_yy = 0, passes_xx = 0;  // the filter, times the squared response along an axis
};

class Regression {
  public:
    // Of frames of so many pixels; from a start in pixels.
    Regression(std::size_t pixels, double start_y, double start_x, Start start = Start::rough)
        : pixels_(static_cast<double>(pixels)),
          start_y_(start_y),
          start_x_(start_x),
          start_(start),
          found_{start_y, start_x, 0, 0, 0} {}

    // False where nothing passes the filter. `noise` is the power of a frame's noise in one
    // frequency.
    bool begin(double reference_noise, double moving_noise, const FilterTotals& totals);

    // For the images of this pass: the reference is shifted by `found`, and the template is made of
    // these parts of both frames.
    const Refined& found() const { return found_; }
    float reference_part() const { return reference_part_; }
    float moving_part() const { return moving_part_; }
    Variance variance() const { return variance_; }
    Fit fit() const;

    // After `go_on`, and before the first pass of an exact start, the variance is fitted twice,
    // each time to residuals weighted by the one before.
    enum class Next { go_on, done, failed };
    Next solve(const std::vector<Moments>& rows);
    void fit_variance(const std::vector<ResidualSums>& rows);

  private:
    bool step(const std::vector<Moments>& rows);
    bool one_pass_is_enough(const Vector4& guess) const;
    void set_variance(double constant, double slope, double mean);
    void estimate_covariance(const std::vector<Moments>& rows);

    double pixels_, start_y_, start_x_;
    Start start_;
    int pass_ = 0;
    // Of the template: the part of each frame, its noise's covariance with a frame's over the
    // residuals' variance, and what both noises' gradients make of that.
    float reference_part_ = 0, moving_part_ = 0;
    double noise_share_ = 0, noise_yy_ = 0, noise_xx_ = 0;
    Variance variance_{};
    double residual_variance_ = 0;  // its mean
    Matrix4 inverse_{};
    Vector4 solution_{};
    Refined found_;
};

}  // namespace stemzoo::drift
