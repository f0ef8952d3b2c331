#include "survey/noise_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "spectrum/power_spectrum.hpp"
#include "survey/quantile.hpp"

namespace stemzoo::survey {
namespace {

using spectrum::HalfPlane;

constexpr std::size_t grid = NoiseSpectrum::grid;
constexpr double lowest = 0.08;         // 1/px: below, a denoiser absorbs noise
constexpr std::size_t degree = 4;       // of the polynomial
constexpr double deepest = 1e-3;        // of the mean: less noise cannot be told from none
constexpr int trust = 4;                // power of the share of the frame's power: the weight
constexpr double outstanding = 2.5;     // standard deviations from which on medians count less
constexpr std::size_t least_block = 3;  // frequencies along a side
constexpr double stiffness = 0.3;       // penalty of a coefficient, times its degree squared
constexpr int rounds = 4;
constexpr double median_of_exponential = 0.69314718055994531;  // ln 2
constexpr double tiny = 1e-30, two_pi = 6.28318530717958648;

constexpr std::size_t terms = (degree + 1) * (degree + 2) / 2;
using Terms = std::array<double, terms>;
using Matrix = std::array<Terms, terms>;

double dot(const Terms& one, const Terms& other) {
    return std::inner_product(one.begin(), one.end(), other.begin(), 0.0);
}

// Products of Chebyshev polynomials of the cosines of both frequencies.
Terms basis(double up, double across) {
    std::array<double, degree + 1> rows, columns;
    for (std::size_t n = 0; n <= degree; ++n) {
        rows[n] = std::cos(static_cast<double>(n) * two_pi * up);
        columns[n] = std::cos(static_cast<double>(n) * two_pi * across);
    }
    Terms found;
    std::size_t at = 0;
    for (std::size_t i = 0; i <= degree; ++i) {
        for (std::size_t j = 0; i + j <= degree; ++j) found[at++] = rows[i] * columns[j];
    }
    return found;
}

// The penalty of each term.
Terms penalties() {
    Terms found;
    std::size_t at = 0;
    for (std::size_t i = 0; i <= degree; ++i) {
        for (std::size_t j = 0; i + j <= degree; ++j) {
            found[at++] = stiffness * static_cast<double>((i + j) * (i + j)) + 1e-6;
        }
    }
    return found;
}

// Of a positive definite matrix, whose lower triangle is used up (Cholesky).
Terms solve(Matrix& matrix, Terms right) {
    for (std::size_t i = 0; i < terms; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double rest = matrix[i][j];
            for (std::size_t k = 0; k < j; ++k) rest -= matrix[i][k] * matrix[j][k];
            matrix[i][j] = i == j ? std::sqrt(rest) : rest / matrix[j][j];
        }
        for (std::size_t k = 0; k < i; ++k) right[i] -= matrix[i][k] * right[k];
        right[i] /= matrix[i][i];
    }
    for (std::size_t i = terms; i-- > 0;) {
        for (std::size_t k = i + 1; k < terms; ++k) right[i] -= matrix[k][i] * right[k];
        right[i] /= matrix[i][i];
    }
    return right;
}

// Blocks of frequencies above the lowest ones.
struct Blocks {
    std::vector<Terms> bases;
    std::vector<double> medians;  // of the power
};

Blocks blocks_of(const HalfPlane& half) {
    const Shape image = half.image;
    const std::size_t tall = std::max(image.rows / grid, least_block),
                      wide = std::max(image.cols / grid, least_block);
    Blocks found;
    std::vector<float> values(tall * wide);
    for (std::size_t top = 0; top + tall <= image.rows; top += tall) {
        double up = 0;  // the sign of a frequency does not matter
        for (std::size_t y = top; y < top + tall; ++y) {
            up += std::abs(spectrum::frequency(y, image.rows)) / static_cast<double>(tall);
        }
        for (std::size_t left = 1; left + wide <= half.shape.cols; left += wide) {
            const double across = (static_cast<double>(left) + static_cast<double>(wide - 1) / 2) /
                                  static_cast<double>(image.cols);
            if (!(std::hypot(up, across) > lowest)) continue;
            for (std::size_t y = 0; y < tall; ++y) {
                std::copy_n(half.row(top + y) + left, wide, &values[y * wide]);
            }
            found.bases.push_back(basis(up, across));
            found.medians.push_back(median(values));
        }
    }
    return found;
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The logarithm of the noise's power in each block.
std::vector<double> log_powers(const std::vector<double>& medians) {
    const double least = 1e-12 * mean(medians) + tiny;
    std::vector<double> powers = medians;
    for (double& power : powers) power = std::max(power, least) / median_of_exponential;
    const double floor = deepest * mean(powers);
    for (double& power : powers) power = std::log(std::max(power, floor));
    return powers;
}

// What still stands out after a fit is structure, not noise, and counts less in the next.
Terms fitted(const std::vector<Terms>& bases, const std::vector<double>& target,
             const std::vector<double>& trusted) {
    const Terms penalty = penalties();
    std::vector<double> weights = trusted, misfits(target.size());
    Terms fit{};
    for (int round = 0; round < rounds; ++round) {
        Matrix normal{};
        Terms right{};
        for (std::size_t i = 0; i < bases.size(); ++i) {
            for (std::size_t j = 0; j < terms; ++j) {
                const double share = weights[i] * bases[i][j];
                right[j] += share * target[i];
                for (std::size_t k = 0; k <= j; ++k) normal[j][k] += share * bases[i][k];
            }
        }
        for (std::size_t j = 0; j < terms; ++j) normal[j][j] += penalty[j];
        fit = solve(normal, right);
        for (std::size_t i = 0; i < bases.size(); ++i) misfits[i] = target[i] - dot(bases[i], fit);
        std::vector<double> sizes = misfits;
        for (double& size : sizes) size = std::abs(size);
        const double spread = 1.4826 * median(sizes) + 1e-6;
        for (std::size_t i = 0; i < bases.size(); ++i) {
            const double excess = std::max(misfits[i] / (outstanding * spread), 1.0);
            weights[i] = trusted[i] / (excess * excess);
        }
    }
    return fit;
}

}  // namespace

NoiseSpectrum noise_spectrum(const float* residual, const float* frame, Shape shape,
                             unsigned threads) {
    NoiseSpectrum found;
    if (std::min(shape.rows, shape.cols) < grid) return found;
    const HalfPlane half = spectrum::power_spectrum(residual, shape, threads);
    const Blocks blocks = blocks_of(half);
    const Blocks whole = blocks_of(spectrum::power_spectrum(frame, shape, threads));
    std::vector<double> trusted(blocks.medians.size());
    for (std::size_t i = 0; i < trusted.size(); ++i) {
        const double removed = blocks.medians[i] / std::max(whole.medians[i], tiny);
        trusted[i] = std::pow(std::clamp(removed, 0.0, 1.0), trust);
    }
    const Terms fit = fitted(blocks.bases, log_powers(blocks.medians), trusted);
    double sum = 0;
    for (std::size_t i = 0; i < found.power.size(); ++i) {
        const double up = spectrum::frequency(i / grid, grid),
                     across = spectrum::frequency(i % grid, grid);
        found.power[i] = std::exp(dot(basis(up, across), fit));
        sum += found.power[i];
    }
    const auto size = static_cast<double>(found.power.size());
    double residual_power = 0, deepened = 0;
    for (std::size_t i = 0; i < half.shape.size(); ++i) {
        residual_power += static_cast<double>(half.power[i]);
    }
    found.share = residual_power / static_cast<double>(half.shape.size()) / (sum / size);
    for (double& power : found.power) {
        power = std::max(power / (sum / size), deepest);
        deepened += power;
    }
    for (double& power : found.power) power /= deepened / size;
    return found;
}

}  // namespace stemzoo::survey
