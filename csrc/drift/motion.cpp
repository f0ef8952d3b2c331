#include "drift/motion.hpp"

#include <algorithm>
#include <cmath>

namespace stemzoo::drift {
namespace {

constexpr double first_jerk = 1;     // px by which a step differs from the last, until it is learnt
constexpr double least_jerk = 0.02;  // px: so that the filter never stops listening
constexpr double memory = 0.9;       // the weight of an innovation, one step later
constexpr double prior_weight = 3;   // innovations that the first guess is worth
constexpr double short_step = 0.75;  // of the usual one
constexpr double exact = 1e-3;       // px: no measurement is taken for better than this

double variance(double sigma) {
    const double bounded = std::max(sigma, exact);
    return bounded * bounded;
}

}  // namespace

AxisState AxisState::after(double time, double noise, double acting) const {
    return {position + time * rate,
            position_variance + time * (2 * covariance + time * rate_variance) +
                noise * (acting * acting * acting) / 3,
            rate, rate_variance + noise * acting,
            covariance + time * rate_variance + noise * (acting * acting) / 2};
}

AxisState AxisState::measured(double at, double variance) const {
    const double expected = position_variance + variance, gain = position_variance / expected,
                 rate_gain = covariance / expected, innovation = at - position;
    return {position + gain * innovation, position_variance * (1 - gain),
            rate + rate_gain * innovation, rate_variance - rate_gain * covariance,
            covariance * (1 - gain)};
}

Motion::Motion(double time, const Vector& position, const Vector& sigma, double reach)
    : numbers_{
          time, {{{position[0], variance(sigma[0])}, {position[1], variance(sigma[1])}}}, reach} {}

State Motion::at(double time) const {
    State state = numbers_.state;
    const double step = time - numbers_.time;
    for (AxisState& axis : state) {
        if (numbers_.rate_known) {
            axis = axis.after(step, numbers_.noise, acting(step));
        } else {
            axis = {axis.position, axis.position_variance + numbers_.reach * numbers_.reach};
        }
    }
    return state;
}

void Motion::measure(double time, const Vector& position, const Vector& sigma) {
    const double step = time - numbers_.time;
    const Vector variances{variance(sigma[0]), variance(sigma[1])};
    if (numbers_.rate_known) {
        learn(step, position, variances);
    } else {
        begin(step);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        AxisState& axis = numbers_.state[i];
        axis = axis.after(step, numbers_.noise, acting(step)).measured(position[i], variances[i]);
    }
    numbers_.time = time;
    numbers_.rate_known = true;
}

double Motion::acting(double step) const {
    return step > 0 ? std::max(step, short_step * numbers_.usual) : 0;
}

// The first step sets the scale of time: up to `reach` is covered in it.
void Motion::begin(double step) {
    const double unit = step * step * step / 3, rate = numbers_.reach / step;
    numbers_.noise = first_jerk * first_jerk / unit;
    numbers_.least_noise = least_jerk * least_jerk / unit;
    numbers_.excess = prior_weight * first_jerk * first_jerk;
    numbers_.weight = prior_weight * unit;
    numbers_.usual = step;
    for (AxisState& axis : numbers_.state) {
        axis = {axis.position, axis.position_variance, 0, rate * rate, 0};
    }
}

void Motion::learn(double step, const Vector& position, const Vector& variances) {
    numbers_.usual = memory * numbers_.usual + (1 - memory) * step;
    const double time = acting(step);
    numbers_.excess *= memory;
    numbers_.weight = memory * numbers_.weight + 2 * (time * time * time) / 3;
    for (std::size_t i = 0; i < 2; ++i) {
        const AxisState quiet = numbers_.state[i].after(step, 0, 0);
        const double innovation = position[i] - quiet.position;
        numbers_.excess += innovation * innovation - quiet.position_variance - variances[i];
    }
    numbers_.noise = std::max(numbers_.excess / numbers_.weight, numbers_.least_noise);
}

}  // namespace stemzoo::drift
