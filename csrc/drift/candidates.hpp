// Candidate drifts and their posterior probabilities.
//
// Log-odds of drifts come as a surface with zero shift in its middle, one value every `stride`
// pixels. The posterior is the softmax of log-odds plus log-prior, mixed with the prior alone: the
// features of a pair may mislead, and then say nothing of its drift.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/array.hpp"
#include "drift/answer.hpp"
#include "drift/peaks.hpp"

namespace stemzoo::drift {

// px: the standard deviation of a peak about the drift that it stands for.
constexpr double peak_sigma = 0.15;

// The probability that features mislead.
constexpr double misleading = 0.01;

// Where a drift is expected, and the standard deviation of that.
struct Expectation {
    Vector shift, sigma;
};

// Standard deviations within which an expectation accepts a drift, and beyond which it rules one
// out.
constexpr double accepted = 3, excluded = 6;

// A surface of log-odds, row by row; zero shift in its middle.
struct Surface {
    const float* values;
    Shape shape;
    std::size_t stride;  // px

    // Bilinear interpolation at a shift in pixels; beyond the surface its edge counts.
    double at(const Vector& shift) const;
};

// The most probable first; probabilities sum to at most one.
struct Posterior {
    std::vector<Candidate> candidates;
    double evidence = 0;  // log-odds of the first less those of the second, without the prior
};

// The log of the prior, up to a constant: a bivariate Student distribution. Short drifts are
// likelier than long ones, and none is impossible.
double log_prior(const Vector& shift, Shape frame);

// The log-prior at each place of a surface; -infinity beyond `reach`.
std::vector<float> prior_surface(Shape extent, Shape reach, Shape frame, std::size_t stride);

// exp(x) normalised to a sum of one, in place.
void softmax(std::vector<double>& values);

// `extra` is added to the log-odds of each shift; it may be empty.
Posterior posterior(const std::vector<Vector>& shifts, const Surface& log_odds, Shape frame,
                    const std::vector<double>& extra);

// Adds the most probable shift of the surface where no peak is near it or nearly as probable: what
// has no lattice may have no peak.
void add_most_probable(std::vector<Vector>& shifts, const Surface& log_odds,
                       const std::vector<float>& prior);

// The one peak that stands alone, without the neighbours that a lattice would give it; or else the
// only one where a drift is expected.
std::optional<std::size_t> unrivalled_peak(const std::vector<Peak>& peaks,
                                           const Expectation* expected);

// The one peak that an expectation accepts, if it rules out all others.
std::optional<std::size_t> expected_peak(const std::vector<Peak>& peaks,
                                         const Expectation& expected);

// Whether a drift lies at a sharp peak, which tells it to a tenth of a pixel.
bool at_sharp_peak(const std::vector<Peak>& peaks, const Vector& shift);

// How many lags a surface of features extends for shifts of up to `reach` pixels.
Shape lag_extent(Shape reach, Shape frame, std::size_t stride);

}  // namespace stemzoo::drift
