#include "scan/path_smoother.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace stemzoo::scan {
namespace {

constexpr double unknown = 1e6;        // px^2: the variance of a state of which nothing is known
constexpr double jump_variance = 1e4;  // px^2
constexpr double jump_gain = 12;       // in log-likelihood, beyond the log of the number of rows
constexpr double jitter_gain = 3;      // in log-likelihood
constexpr std::size_t most_jumps = 16;
constexpr double least_bend = 1e-14, most_bend = 1;      // px^2
constexpr double least_jitter = 1e-6, most_jitter = 25;  // px^2
constexpr double finest = 0.1;                           // of the log of a variance

// Position and velocity, with their covariance.
struct State {
    double s = 0, v = 0;
    double ss = unknown, sv = 0, vv = unknown;
};

struct Innovation {
    State before;  // predicted from the rows before
    double error = 0, inverse_variance = 0;
};

bool jumps_at(const PathModel& model, std::size_t row) {
    return std::find(model.jumps.begin(), model.jumps.end(), row) != model.jumps.end();
}

// The Kalman filter; returns the log-likelihood.
double filter(const RowEstimates& rows, const PathModel& model, std::vector<Innovation>* kept) {
    State at;
    double total = 0;
    std::size_t next_jump = 0;
    for (std::size_t y = 0; y < rows.value.size(); ++y) {
        if (next_jump < model.jumps.size() && model.jumps[next_jump] == y) {
            at.ss += jump_variance;
            ++next_jump;
        }
        Innovation step;
        step.before = at;
        if (rows.information[y] > 0) {
            const double variance = at.ss + model.jitter + 1 / rows.information[y];
            step.error = rows.value[y] - at.s;
            step.inverse_variance = 1 / variance;
            total -= 0.5 * (std::log(variance) + step.error * step.error / variance);
            const double ks = at.ss / variance, kv = at.sv / variance;
            at.s += ks * step.error;
            at.v += kv * step.error;
            at.vv -= kv * at.sv;
            at.sv -= ks * at.sv;
            at.ss -= ks * at.ss;
        }
        if (kept != nullptr) (*kept)[y] = step;
        at.s += at.v;
        at.ss += 2 * at.sv + at.vv;
        at.sv += at.vv;
        at.vv += model.bend;
    }
    return total;
}

// What the smoother says of the state of each row: mean and variance of the position, and how many
// squared standard deviations the position seems to have jumped before it.
struct Smoothed {
    double s, ss, jump;
};

std::vector<Smoothed> smoother(const RowEstimates& rows, const PathModel& model) {
    const std::size_t count = rows.value.size();
    std::vector<Innovation> steps(count);
    filter(rows, model, &steps);
    std::vector<Smoothed> result(count);
    double rs = 0, rv = 0, nss = 0, nsv = 0, nvv = 0;  // backward: of the state after row y
    for (std::size_t y = count; y-- > 0;) {
        // To the state of row y once it is updated: T' r and T' N T.
        rv += rs;
        nvv += 2 * nsv + nss;
        nsv += nss;
        const Innovation& step = steps[y];
        const State& p = step.before;
        if (step.inverse_variance > 0) {
            const double ks = p.ss * step.inverse_variance, kv = p.sv * step.inverse_variance;
            // L = I - K Z, with Z = (1, 0).
            const double ls = 1 - ks, lv = -kv;
            const double new_rs = step.error * step.inverse_variance + ls * rs + lv * rv;
            const double new_nss =
                step.inverse_variance + ls * ls * nss + 2 * ls * lv * nsv + lv * lv * nvv;
            const double new_nsv = ls * nsv + lv * nvv;
            rs = new_rs;
            nss = new_nss;
            nsv = new_nsv;
        }
        Smoothed& to = result[y];
        to.s = p.s + p.ss * rs + p.sv * rv;
        to.ss = p.ss - (p.ss * p.ss * nss + 2 * p.ss * p.sv * nsv + p.sv * p.sv * nvv);
        to.jump = nss > 0 && y > 0 ? rs * rs / nss : 0;
    }
    return result;
}

// Variances of the highest likelihood, by steps in their logarithms that are halved.
PathModel best_variances(const RowEstimates& rows, PathModel model) {
    double best = filter(rows, model, nullptr);
    for (double step = 4; step > finest; step /= 2) {
        for (bool better = true; better;) {
            better = false;
            for (const auto& [bend, jitter] :
                 {std::pair{step, 0.0}, {-step, 0.0}, {0.0, step}, {0.0, -step}}) {
                PathModel other = model;
                other.bend = std::clamp(model.bend * std::exp(bend), least_bend, most_bend);
                other.jitter =
                    std::clamp(model.jitter * std::exp(jitter), least_jitter, most_jitter);
                const double value = filter(rows, other, nullptr);
                if (value > best + 1e-6) {
                    best = value;
                    model = std::move(other);
                    better = true;
                }
            }
        }
    }
    return model;
}

// The drift alone, where jitter beside it gains too little.
PathModel best_model(const RowEstimates& rows) {
    PathModel shaken;
    shaken.bend = 1e-6;
    shaken.jitter = 0.01;
    shaken = best_variances(rows, shaken);
    PathModel steady = shaken;
    steady.jitter = least_jitter;
    steady = best_variances(rows, steady);
    const double gain = filter(rows, shaken, nullptr) - filter(rows, steady, nullptr);
    return gain > jitter_gain ? shaken : steady;
}

PathModel fitted(const RowEstimates& rows) {
    PathModel model = best_model(rows);
    const double likely = jump_gain + std::log(static_cast<double>(rows.value.size()));
    while (model.jumps.size() < most_jumps) {
        const auto states = smoother(rows, model);
        std::size_t at = 0;
        for (std::size_t y = 1; y < states.size(); ++y) {
            if (states[y].jump > states[at].jump && !jumps_at(model, y)) at = y;
        }
        if (at == 0 || states[at].jump / 2 < likely) break;
        PathModel other = model;
        other.jumps.insert(std::upper_bound(other.jumps.begin(), other.jumps.end(), at), at);
        other = best_variances(rows, other);
        if (filter(rows, other, nullptr) < filter(rows, model, nullptr) + likely / 2) break;
        model = std::move(other);
    }
    return model;
}

}  // namespace

SmoothPath smooth_path(const RowEstimates& rows, const RowEstimates& apart) {
    const std::size_t count = rows.value.size();
    SmoothPath path{{},
                    std::vector<double>(count),
                    std::vector<double>(count),
                    std::vector<double>(count, std::numeric_limits<double>::infinity())};
    const bool blank = std::none_of(rows.information.begin(), rows.information.end(),
                                    [](double v) { return v > 0; });
    if (blank) {
        path.drift = rows.value;
        return path;
    }
    path.model = fitted(rows);
    const auto states = smoother(rows, path.model);
    for (std::size_t y = 0; y < count; ++y) {
        // The rest of a row, beside the drift, is jitter and error in proportion.
        const auto share = [&](double information) {
            return path.model.jitter / (path.model.jitter + 1 / information);
        };
        const double drift = states[y].s, spread = states[y].ss;
        double variance = spread + path.model.jitter;
        path.drift[y] = drift;
        if (const double information = rows.information[y]; information > 0) {
            const double part = share(information);
            path.jitter[y] = part * (rows.value[y] - drift);
            variance = part / information + (1 - part) * (1 - part) * spread;
        } else if (const double known = apart.information[y]; known > 0) {
            const double part = share(known);
            path.jitter[y] = part * apart.value[y];
            variance = part / known + spread;
        }
        path.sigma[y] = std::sqrt(std::max(variance, 0.0));
    }
    return path;
}

}  // namespace stemzoo::scan
