#include "drift/regression.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace stemzoo::drift {
namespace {

constexpr int most_passes = 5;
// From the start: peaks of broad structures lie that far off, and lattices are wider than twice it.
constexpr double largest_drift = 2.5;
constexpr double least_weight = 100;  // pixels

// The residuals' variance is at least this share of its mean.
constexpr double least_variance = 0.05;
// Pixels have a standard deviation near 1: below this, float32 is what is left.
constexpr double least_possible_variance = 1e-10;

// A step so small that another pass would not change the answer.
bool settled(double step, double variance) {
    return std::abs(step) < 0.05 || step * step < 0.09 * variance;
}

// The same of the only step. Gradients are differences, which are some hundredths too small for the
// finest lattice, and so every step is wrong by that share of itself.
bool settled_at_once(double step, double variance) {
    return std::abs(step) < 0.02 && step * step < 4 * variance;
}

// The first pass is weighted by the variance of residuals that a wrong offset and gain were part
// of. Pixels have a variance near 1: this much of it may have come from that.
constexpr double most_misfit = 0.1;

}  // namespace

bool Regression::begin(double reference_noise, double moving_noise, const FilterTotals& totals) {
    if (!(totals.reference > 0 && totals.moving > 0)) return false;
    noise_yy_ = totals.passes_yy / pixels_;
    noise_xx_ = totals.passes_xx / pixels_;
    const double gain_squared = moving_noise * totals.moving / (reference_noise * totals.reference);
    const double from_a = reference_noise * gain_squared, from_b = moving_noise;
    const double part = from_b / (from_a + from_b);
    solution_ = {0, std::sqrt(gain_squared), 0, 0};
    reference_part_ = static_cast<float>(std::sqrt(gain_squared) * part);
    moving_part_ = static_cast<float>(1 - part);
    noise_share_ = part * (1 - part);
    set_variance((from_a + from_b) / pixels_, 0, (from_a + from_b) / pixels_);
    return true;
}

Fit Regression::fit() const {
    return {static_cast<float>(solution_[0]), static_cast<float>(solution_[1]),
            static_cast<float>(solution_[2]), static_cast<float>(solution_[3])};
}

Regression::Next Regression::solve(const std::vector<Moments>& rows) {
    const Vector4 guess = solution_;
    if (!step(rows)) return Next::failed;
    found_.dy += solution_[2];
    found_.dx += solution_[3];
    if (!(std::abs(found_.dy - start_y_) <= largest_drift &&
          std::abs(found_.dx - start_x_) <= largest_drift)) {
        return Next::failed;
    }
    estimate_covariance(rows);
    if (!(found_.yy > 0 && found_.xx > 0 && std::isfinite(found_.yy + found_.xx))) {
        return Next::failed;
    }
    // After a rough start again, weighted by what the first pass found: squares of counts scatter
    // with the variance.
    const bool first = pass_++ == 0;
    const bool done = first ? start_ == Start::exact && one_pass_is_enough(guess)
                            : settled(solution_[2], found_.yy) && settled(solution_[3], found_.xx);
    return done || pass_ == most_passes ? Next::done : Next::go_on;
}

// Whether the step is small, and the guessed offset and gain were near enough to those found.
bool Regression::one_pass_is_enough(const Vector4& guess) const {
    const double offset = solution_[0] - guess[0], gain = solution_[1] - guess[1];
    return settled_at_once(solution_[2], found_.yy) && settled_at_once(solution_[3], found_.xx) &&
           offset * offset + gain * gain < most_misfit * residual_variance_;
}

// Solves for offset, gain and step; see refine.hpp. The step's regressors are the moving frame's
// own gradients: the template's are smeared beyond a particle's edge. Their noise is also in the
// template and adds to the products of gradients, which are to be the scene's alone.
bool Regression::step(const std::vector<Moments>& rows) {
    Matrix4 sums{};
    Vector4 right{};
    double weight = 0;
    for (const Moments& m : rows) {
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

void Regression::fit_variance(const std::vector<ResidualSums>& rows) {
    ResidualSums total;
    for (const ResidualSums& s : rows) {
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

void Regression::set_variance(double constant, double slope, double mean) {
    residual_variance_ = mean;
    variance_ = {static_cast<float>(constant), static_cast<float>(slope),
                 static_cast<float>(std::max(least_variance * mean, least_possible_variance))};
}

void Regression::estimate_covariance(const std::vector<Moments>& rows) {
    found_.yy = found_.yx = found_.xx = 0;
    for (const Moments& m : rows) {
        double step[2] = {};
        for (int i = 0; i < 4; ++i) {
            double residual = m.total[i][4];
            for (int j = 0; j < 4; ++j) residual -= m.total[i][j] * solution_[j];
            step[0] += inverse_[2][i] * residual;
            step[1] += inverse_[3][i] * residual;
        }
        found_.yy += step[0] * step[0];
        found_.yx += step[0] * step[1];
        found_.xx += step[1] * step[1];
    }
}

}  // namespace stemzoo::drift
