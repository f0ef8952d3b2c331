#include "drift/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "drift/look.hpp"

namespace stemzoo::drift {
namespace {

constexpr double least_probability = 1e-6;  // of the best: candidates below are dropped
constexpr double usual_length = 3.0 / 32;   // of the frame: the scale of the prior
constexpr double alone = 2;                 // times all other heights: no lattice has such a peak
constexpr float sharp = 0.1f;               // of its height, lost within a pixel
constexpr double likelier = 3;              // log-odds over any peak: a shift without a peak counts
constexpr double near = 4;                  // px, at the fine stride: so near is the same peak

double distance(const Peak& peak, const Vector& shift) {
    return std::hypot(static_cast<double>(peak.dy) - shift[0],
                      static_cast<double>(peak.dx) - shift[1]);
}

bool stands_alone(const std::vector<Peak>& peaks) {
    if (peaks.size() < 2) return false;
    const Vector first{static_cast<double>(peaks[0].dy), static_cast<double>(peaks[0].dx)};
    const auto other = std::find_if(peaks.begin(), peaks.end(),
                                    [&](const Peak& peak) { return distance(peak, first) > near; });
    const float height = other == peaks.end() ? 0 : other->height;
    return static_cast<double>(peaks[0].height) >= alone * static_cast<double>(height);
}

// Between two points of one axis of a surface.
struct Between {
    Between(double place, std::size_t size) {
        const double clipped = std::clamp(place, 0.0, static_cast<double>(size) - 1.001);
        first = static_cast<std::size_t>(clipped);
        fraction = clipped - static_cast<double>(first);
    }

    std::size_t first;
    double fraction;
};

}  // namespace

double Surface::at(const Vector& shift) const {
    const auto place = [this](double pixels, std::size_t size) {
        return Between(pixels / static_cast<double>(stride) + static_cast<double>(size / 2), size);
    };
    const Between y = place(shift[0], shape.rows), x = place(shift[1], shape.cols);
    const float* const upper = values + y.first * shape.cols + x.first;
    const float* const lower = upper + shape.cols;
    const auto along = [&](const float* row) {
        // So that -infinity, where its weight is zero, does not make a NaN.
        const auto left = static_cast<double>(std::max(row[0], -1e30f)),
                   right = static_cast<double>(std::max(row[1], -1e30f));
        return left * (1 - x.fraction) + right * x.fraction;
    };
    return along(upper) * (1 - y.fraction) + along(lower) * y.fraction;
}

double log_prior(const Vector& shift, Shape frame) {
    const double scale = usual_length * static_cast<double>(std::min(frame.rows, frame.cols));
    const double y = shift[0] / scale, x = shift[1] / scale;
    return -3 * std::log1p(y * y + x * x);
}

std::vector<float> prior_surface(Shape extent, Shape reach, Shape frame, std::size_t stride) {
    const auto down = static_cast<std::ptrdiff_t>(extent.rows),
               across = static_cast<std::ptrdiff_t>(extent.cols),
               step = static_cast<std::ptrdiff_t>(stride);
    std::vector<float> values;
    values.reserve((2 * extent.rows + 1) * (2 * extent.cols + 1));
    for (std::ptrdiff_t y = -down; y <= down; ++y) {
        for (std::ptrdiff_t x = -across; x <= across; ++x) {
            const Vector shift{static_cast<double>(y * step), static_cast<double>(x * step)};
            const bool within = std::abs(shift[0]) <= static_cast<double>(reach.rows) &&
                                std::abs(shift[1]) <= static_cast<double>(reach.cols);
            values.push_back(within ? static_cast<float>(log_prior(shift, frame)) : -INFINITY);
        }
    }
    return values;
}

void softmax(std::vector<double>& values) {
    const double highest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (double& value : values) sum += value = std::exp(value - highest);
    for (double& value : values) value /= sum;
}

Posterior posterior(const std::vector<Vector>& shifts, const Surface& log_odds, Shape frame,
                    const std::vector<double>& extra) {
    const std::size_t count = shifts.size();
    std::vector<double> logits(count), prior(count), probability(count);
    for (std::size_t i = 0; i < count; ++i) {
        prior[i] = log_prior(shifts[i], frame);
        logits[i] = log_odds.at(shifts[i]) + (extra.empty() ? 0.0 : extra[i]);
        probability[i] = logits[i] + prior[i];
    }
    softmax(probability);
    softmax(prior);
    for (std::size_t i = 0; i < count; ++i) {
        probability[i] = (1 - misleading) * probability[i] + misleading * prior[i];
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return probability[a] > probability[b]; });
    Posterior found;
    found.evidence =
        count > 1 ? logits[order[0]] - logits[order[1]] : std::numeric_limits<double>::infinity();
    for (const std::size_t at : order) {
        if (!(probability[at] >= least_probability * probability[order[0]])) continue;
        found.candidates.push_back({shifts[at], probability[at]});
    }
    return found;
}

void add_most_probable(std::vector<Vector>& shifts, const Surface& log_odds,
                       const std::vector<float>& prior) {
    const std::size_t size = log_odds.shape.size(), cols = log_odds.shape.cols;
    std::vector<float> logits(size);
    bool any = false;
    std::size_t best = 0;
    for (std::size_t i = 0; i < size; ++i) {
        logits[i] = log_odds.values[i] + prior[i];
        any = any || log_odds.values[i] != 0.0f;
        if (logits[i] > logits[best]) best = i;
    }
    if (!any) return;
    const auto lag = [&](std::size_t at, std::size_t length) {
        const auto steps =
            static_cast<std::ptrdiff_t>(at) - static_cast<std::ptrdiff_t>(length / 2);
        return static_cast<double>(steps * static_cast<std::ptrdiff_t>(log_odds.stride));
    };
    const Vector likeliest{lag(best / cols, log_odds.shape.rows), lag(best % cols, cols)};
    if (!shifts.empty()) {
        const Surface surface{logits.data(), log_odds.shape, log_odds.stride};
        const double reach =
            near * static_cast<double>(log_odds.stride) / static_cast<double>(fine_stride);
        double nearest = std::numeric_limits<double>::infinity(), known = -nearest;
        for (const Vector& shift : shifts) {
            nearest =
                std::min(nearest, std::hypot(shift[0] - likeliest[0], shift[1] - likeliest[1]));
            known = std::max(known, surface.at(shift));
        }
        if (nearest <= reach || static_cast<double>(logits[best]) - known < likelier) return;
    }
    shifts.push_back(likeliest);
}

std::optional<std::size_t> unrivalled_peak(const std::vector<Peak>& peaks,
                                           const Expectation* expected) {
    if (stands_alone(peaks)) return 0;
    return expected == nullptr ? std::nullopt : expected_peak(peaks, *expected);
}

std::optional<std::size_t> expected_peak(const std::vector<Peak>& peaks,
                                         const Expectation& expected) {
    const double sigma_y = std::hypot(expected.sigma[0], peak_sigma),
                 sigma_x = std::hypot(expected.sigma[1], peak_sigma);
    std::size_t nearest = 0, close = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        const double miss =
            std::hypot((static_cast<double>(peaks[i].dy) - expected.shift[0]) / sigma_y,
                       (static_cast<double>(peaks[i].dx) - expected.shift[1]) / sigma_x);
        close += miss <= excluded;
        if (miss < least) {
            least = miss;
            nearest = i;
        }
    }
    if (!(least <= accepted) || close > 1) return std::nullopt;
    return nearest;
}

bool at_sharp_peak(const std::vector<Peak>& peaks, const Vector& shift) {
    double least = 1;
    bool found = false;
    for (const Peak& peak : peaks) {
        const double away = distance(peak, shift);
        if (!(away < least)) continue;
        least = away;
        found = peak.sharpness >= sharp;
    }
    return found;
}

Shape lag_extent(Shape reach, Shape frame, std::size_t stride) {
    const Shape look = look_shape(frame, stride);
    return {std::min(reach.rows / stride + 2, look.rows - 1),
            std::min(reach.cols / stride + 2, look.cols - 1)};
}

}  // namespace stemzoo::drift
