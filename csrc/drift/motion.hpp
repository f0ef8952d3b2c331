// Where something that drifts will be next: a Kalman filter of position and rate along each axis.
//
// The acceleration is white noise. Its strength is learnt from the innovations: what they have in
// excess of the errors of state and measurement. A step much shorter than usual is as noisy as one
// of three quarters of the usual: a jump, such as a correction of the beam, has nothing to do with
// the time since the last frame. Taken for a rate, it would lead far away with confidence.
#pragma once

#include <array>

#include "drift/answer.hpp"

namespace stemzoo::drift {

// Position and rate along one axis, their variances and their covariance.
struct AxisState {
    double position = 0, position_variance = 0, rate = 0, rate_variance = 0, covariance = 0;

    // The prediction some time later, for an acceleration of so much noise that acts so long.
    AxisState after(double time, double noise, double acting) const;
    // The update by a measured position.
    AxisState measured(double at, double variance) const;
};

using State = std::array<AxisState, 2>;

class Motion {
  public:
    // `reach` is how far it may have moved before the rate is known, px.
    Motion(double time, const Vector& position, const Vector& sigma, double reach);

    bool rate_known() const { return numbers_.rate_known; }
    // At the time of the last measurement.
    const State& state() const { return numbers_.state; }
    State at(double time) const;
    // Takes in a position measured at `time`, which is later than any before.
    void measure(double time, const Vector& position, const Vector& sigma);

    // All that it knows, to be saved and set up again.
    struct Numbers {
        double time;
        State state;
        double reach;
        bool rate_known = false;
        double noise = 0, least_noise = 0;  // of the acceleration, px^2 / time^3
        double excess = 0, weight = 0;      // of the innovations; their ratio is the noise
        double usual = 0;                   // the mean of the last steps in time
    };
    explicit Motion(const Numbers& numbers) : numbers_(numbers) {}
    const Numbers& numbers() const { return numbers_; }

  private:
    // How long the noise acts in a step.
    double acting(double step) const;
    void begin(double step);
    void learn(double step, const Vector& position, const Vector& variances);

    Numbers numbers_;
};

}  // namespace stemzoo::drift
