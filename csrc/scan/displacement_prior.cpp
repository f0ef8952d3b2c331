#include "scan/displacement_prior.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "scan/cubic_spline.hpp"

namespace stemzoo::scan {
namespace {

constexpr std::array<double, 6> memories = {0, 0.3, 0.5, 0.7, 0.85, 0.95};
constexpr double memory_gain = 3;  // in log-likelihood, before rows count as correlated
constexpr double least_gain = 2;   // before rows count as displaced at all
constexpr double widest = 1e4, narrowest = 1e-8;  // px^2
constexpr double distortion = 0.13;               // px rms, of slow ones that specimens have
constexpr int steps = 24;                         // of the search for the variance, then refined

// What the filter knows of a row before and after its own value; spreads are variances.
struct Step {
    double predicted, predicted_spread, mean, spread;
    double likelihood;  // its logarithm, but for a constant
};

// Log-likelihood of the rows; each step is handed to `keep`.
template <typename Keep>
double filter(const RowEstimates& rows, double variance, double memory, const Keep& keep) {
    const double innovation = variance * (1 - memory * memory);
    double mean = 0, spread = variance, total = 0;
    for (std::size_t y = 0; y < rows.value.size(); ++y) {
        Step step{mean, spread, mean, spread, 0};
        const double information = rows.information[y];
        if (information > 0) {
            const double denominator = 1 + information * spread, off = rows.value[y] - mean;
            step.likelihood =
                -0.5 * (std::log(denominator) + information * off * off / denominator);
            step.mean += spread * information / denominator * off;
            step.spread /= denominator;
        }
        total += step.likelihood;
        keep(y, step);
        mean = memory * step.mean;
        spread = memory * memory * step.spread + innovation;
    }
    return total;
}

double likelihood(const RowEstimates& rows, double variance, double memory) {
    return filter(rows, variance, memory, [](std::size_t, const Step&) {});
}

DisplacementPrior best_variance(const RowEstimates& rows, double memory, double low, double high) {
    DisplacementPrior best{0, memory, -std::numeric_limits<double>::infinity()};
    const double step = std::log(high / low) / steps;
    const auto attempt = [&](double variance) {
        const double value = likelihood(rows, variance, memory);
        if (value > best.evidence) best = {variance, memory, value};
    };
    for (int k = 0; k <= steps; ++k) attempt(low * std::exp(k * step));
    for (double fine = step / 2; fine > 0.02; fine /= 2) {
        const double middle = best.variance;
        attempt(middle * std::exp(fine));
        attempt(middle * std::exp(-fine));
    }
    return best;
}

// The log-likelihood ratio against no displacement, of which no row counts more than its most.
double common(const RowEstimates& rows, const DisplacementPrior& prior) {
    double total = 0;
    filter(rows, prior.variance, prior.memory, [&](std::size_t y, const Step& step) {
        const double none = -0.5 * rows.information[y] * rows.value[y] * rows.value[y];
        total += std::min(step.likelihood - none, most_of_a_row);
    });
    return total;
}

// Rows are mirrored at the ends.
std::vector<double> gaussian_average(const std::vector<double>& values, double width) {
    const auto reach = static_cast<std::ptrdiff_t>(std::ceil(4 * width));
    std::vector<double> weights(static_cast<std::size_t>(reach) + 1);
    for (std::size_t k = 0; k < weights.size(); ++k) {
        weights[k] = std::exp(-0.5 * std::pow(static_cast<double>(k) / width, 2));
    }
    std::vector<double> average;
    for (std::size_t y = 0; y < values.size(); ++y) {
        double sum = 0, total = 0;
        for (std::ptrdiff_t k = -reach; k <= reach; ++k) {
            const double weight = weights[static_cast<std::size_t>(std::abs(k))];
            sum += weight * values[mirrored(static_cast<std::ptrdiff_t>(y) + k, values.size())];
            total += weight;
        }
        average.push_back(sum / total);
    }
    return average;
}

}  // namespace

DisplacementPrior fit_prior(const RowEstimates& rows) {
    double squares = 0, informed = 0, information = 0;
    for (std::size_t y = 0; y < rows.value.size(); ++y) {
        if (!(rows.information[y] > 0)) continue;
        squares += rows.information[y] * rows.value[y] * rows.value[y];
        information += rows.information[y];
        informed += 1;
    }
    if (!(information > 0)) return {};
    const double none = -0.5 * squares, noise = informed / information;
    const double high = std::clamp(10 * squares / information, narrowest, widest);
    const double low = std::clamp(1e-3 * noise, 1e-6 * high, high / 2);
    DisplacementPrior best = best_variance(rows, 0, low, high);
    if (best.evidence - none < least_gain) return {};
    const double independent = best.evidence;
    for (std::size_t k = 1; k < memories.size(); ++k) {
        const DisplacementPrior other = best_variance(rows, memories[k], low, high);
        if (other.evidence > std::max(independent + memory_gain, best.evidence)) best = other;
    }
    best.evidence -= none;
    best.common_evidence = common(rows, best);
    return best;
}

void smooth(const RowEstimates& rows, const DisplacementPrior& prior, std::vector<double>& mean,
            std::vector<double>& sigma) {
    const std::size_t count = rows.value.size();
    mean.assign(count, 0);
    sigma.assign(count, 0);
    if (!(prior.variance > 0)) return;
    std::vector<double> predicted(count), before(count);
    filter(rows, prior.variance, prior.memory, [&](std::size_t y, const Step& step) {
        predicted[y] = step.predicted;
        before[y] = step.predicted_spread;
        mean[y] = step.mean;
        sigma[y] = step.spread;  // a variance, until the last loop
    });
    for (std::size_t y = count - 1; y-- > 0;) {
        const double gain = sigma[y] * prior.memory / before[y + 1];
        mean[y] += gain * (mean[y + 1] - predicted[y + 1]);
        sigma[y] += gain * gain * (sigma[y + 1] - before[y + 1]);
    }
    for (double& s : sigma) s = std::sqrt(std::max(s, 0.0));
}

void leave_distortion(std::vector<double>& values, double width) {
    if (!(width > 0) || values.empty()) return;
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    for (double& value : values) value -= mean;
    width = std::min(width, count);  // a wider average is the mean
    const std::vector<double> slow = gaussian_average(values, width);
    double jitter = 0;
    for (std::size_t y = 0; y < values.size(); ++y) {
        jitter += (values[y] - slow[y]) * (values[y] - slow[y]) / count;
    }
    // What the average keeps of the variance of white jitter.
    const double slow_jitter = jitter / (2 * std::sqrt(std::acos(-1.0)) * width);
    const double share = distortion * distortion / (distortion * distortion + slow_jitter);
    for (std::size_t y = 0; y < values.size(); ++y) values[y] -= share * slow[y];
}

}  // namespace stemzoo::scan
