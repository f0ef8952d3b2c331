#include "drift/tracker.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/number_text.hpp"

namespace stemzoo::drift {
namespace {

constexpr std::size_t share_of_field = 3;  // a drift leaves too little in common beyond a third
constexpr double pi = 3.14159265358979323846;
// Times lie within it of 0, and steps are no shorter than its inverse: their cubes are finite.
constexpr double latest = 1e60;
constexpr std::size_t unaided_every = 8;  // frames: their features are evaluated, whatever the
                                          // prediction, so that a jump is noticed

Vector added_in_quadrature(const Vector& a, const Vector& b) {
    return {std::hypot(a[0], b[0]), std::hypot(a[1], b[1])};
}

Vector positions(const State& state) { return {state[0].position, state[1].position}; }

Vector deviations(const State& state) {
    return {std::sqrt(state[0].position_variance), std::sqrt(state[1].position_variance)};
}

}  // namespace

BadTime::BadTime(double time, const std::string& complaint)
    : std::invalid_argument("time is " + number_text(time) + complaint), complaint_(complaint) {}

Tracker::Tracker(std::shared_ptr<const Comparison> comparison, FramePointer reference,
                 std::size_t reach, std::optional<double> renew)
    : comparison_(std::move(comparison)), reference_(std::move(reference)), numbers_{} {
    const Shape shape = reference_->shape();
    const std::size_t field =
        std::max<std::size_t>(std::min(shape.rows, shape.cols) / share_of_field, 1);
    numbers_.reach = static_cast<double>(std::min(reach, field));
    numbers_.leash = renew ? *renew * numbers_.reach : std::numeric_limits<double>::infinity();
}

Tracker::Tracker(std::shared_ptr<const Comparison> comparison, FramePointer reference,
                 const Numbers& numbers)
    : comparison_(std::move(comparison)), reference_(std::move(reference)), numbers_(numbers) {
    if (numbers.motion) motion_.emplace(*numbers.motion);
}

Tracker::Numbers Tracker::numbers() const {
    Numbers numbers = numbers_;
    numbers.motion = motion_ ? std::optional<Motion::Numbers>(motion_->numbers()) : std::nullopt;
    return numbers;
}

TrackedDrift Tracker::push(const AnyView& image, const MaskView* masked,
                           std::optional<double> time) {
    FramePointer frame = comparison_->prepare(image, masked, "frame");
    tick(time);
    ++numbers_.pushed;
    std::optional<Expectation> expected;
    if (numbers_.pushed % unaided_every != 0) expected = local_expectation();
    const TrackedDrift local =
        resolve(*frame, comparison_->compare(*reference_, *frame, expected ? &*expected : nullptr));
    const TrackedDrift total = since_first(local);
    if (!local.drift.ambiguous() && local.drift.known()) {
        follow(local.drift, total.drift);
        const Vector& shift = local.drift.shift;
        if (std::max(std::abs(shift[0]), std::abs(shift[1])) > numbers_.leash) {
            reference_ = std::move(frame);
            numbers_.position = total.drift.shift;
            numbers_.position_sigma = total.drift.sigma;
        }
    }
    return total;
}

Prediction Tracker::predict(std::optional<double> time) const {
    const double then = time ? *time : numbers_.time + numbers_.step;
    if (!(then >= numbers_.time)) {
        throw BadTime(then,
                      ", before the last frame's " + number_text(numbers_.time) + "; it is past");
    }
    if (then > latest) throw BadTime(then, "; expected at most " + number_text(latest));
    const State state = expected(then);
    return {positions(state), added_in_quadrature(deviations(state), numbers_.position_sigma)};
}

std::optional<State> Tracker::motion() const {
    if (!motion_ || !motion_->rate_known()) return std::nullopt;
    return motion_->state();
}

// The position expected then, with its error relative to the current reference: the error of that
// reference's own position is in every measurement alike.
State Tracker::expected(double time) const {
    if (motion_) return motion_->at(time);
    const double variance = numbers_.reach * numbers_.reach;
    return {{{numbers_.position[0], variance}, {numbers_.position[1], variance}}};
}

std::optional<Expectation> Tracker::local_expectation() const {
    if (!motion_ || !motion_->rate_known()) return std::nullopt;
    const State state = expected(numbers_.time);
    const Vector at = positions(state);
    return Expectation{{at[0] - numbers_.position[0], at[1] - numbers_.position[1]},
                       deviations(state)};
}

void Tracker::require_time(std::optional<double> time) const {
    const double told = time ? *time : std::numeric_limits<double>::quiet_NaN();
    const bool first = !numbers_.timed;
    if (!first && time.has_value() != *numbers_.timed) {
        throw BadTime(told, std::string(", and the frames before had ") +
                                (*numbers_.timed ? "one" : "none") +
                                "; give a time with every frame, or with none");
    }
    if (time && !(std::abs(told) <= latest)) {
        throw BadTime(told, "; expected a number from " + number_text(-latest) + " to " +
                                number_text(latest));
    }
    if (time && !first && !(told - numbers_.time >= 1 / latest)) {
        throw BadTime(told, "; expected one after the last frame's " + number_text(numbers_.time));
    }
}

// The clock moves on by one frame, or to the time given.
void Tracker::tick(std::optional<double> time) {
    require_time(time);
    const bool first = !numbers_.timed;
    const double now = time ? *time : numbers_.time + 1;
    if (first && !time) {
        // The reference is frame 0; on another clock nobody knows when it was recorded.
        motion_.emplace(0.0, numbers_.position, numbers_.position_sigma, numbers_.reach);
    }
    if (!(first && time)) numbers_.step = now - numbers_.time;
    numbers_.timed = time.has_value();
    numbers_.time = now;
}

// Where the frames leave the answer open, the prediction chooses, if it accepts one candidate and
// rules out all others, and the frames correlate there by more than chance does at the best place
// that the prediction does not exclude.
TrackedDrift Tracker::resolve(const PreparedFrame& frame, Drift local) const {
    if (!(local.ambiguous() && local.known() && motion_ && motion_->rate_known())) {
        return {std::move(local)};
    }
    std::vector<Candidate> options{{local.shift, local.probability()}};
    options.insert(options.end(), local.candidates.begin(), local.candidates.end());
    std::size_t nearest = 0, close = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < options.size(); ++i) {
        const double off = miss(options[i].shift, local.sigma);
        close += off <= excluded;
        if (off < least) {
            least = off;
            nearest = i;
        }
    }
    if (!(least <= accepted) || close > 1) return {std::move(local)};
    const Vector chosen = options[nearest].shift, spread = uncertainty(local.sigma);
    const double places = pi * excluded * excluded * spread[0] * spread[1];
    const double all = static_cast<double>(frame.shape().size());
    if (!comparison_->beyond_chance(*reference_, frame, chosen,
                                    static_cast<std::size_t>(std::clamp(places, 1.0, all)))) {
        return {std::move(local)};
    }
    local.reason = Reason::none;
    if (nearest > 0) {
        options.erase(options.begin() + static_cast<std::ptrdiff_t>(nearest));
        local.shift = chosen;
        local.sigma = added_in_quadrature(local.sigma, {peak_sigma, peak_sigma});
        local.score = comparison_->correlation(*reference_, frame, chosen);
        local.candidates = std::move(options);
    }
    return {std::move(local), true};
}

// Standard deviations of prediction and measurement together.
Vector Tracker::uncertainty(const Vector& sigma) const {
    return added_in_quadrature(sigma, deviations(expected(numbers_.time)));
}

// How far from the expected place, in these standard deviations.
double Tracker::miss(const Vector& shift, const Vector& sigma) const {
    const Vector there = positions(expected(numbers_.time)), spread = uncertainty(sigma);
    Vector off;
    for (std::size_t i = 0; i < 2; ++i) {
        off[i] = (numbers_.position[i] + shift[i] - there[i]) / spread[i];
    }
    return std::hypot(off[0], off[1]);
}

// Positions add, and so do independent errors, in quadrature.
TrackedDrift Tracker::since_first(const TrackedDrift& local) const {
    TrackedDrift total = local;
    const auto move = [this](Vector& shift) {
        shift = {numbers_.position[0] + shift[0], numbers_.position[1] + shift[1]};
    };
    move(total.drift.shift);
    for (Candidate& candidate : total.drift.candidates) move(candidate.shift);
    total.drift.sigma = added_in_quadrature(local.drift.sigma, numbers_.position_sigma);
    return total;
}

void Tracker::follow(const Drift& local, const Drift& total) {
    if (motion_) {
        motion_->measure(numbers_.time, total.shift, local.sigma);
    } else {
        motion_.emplace(numbers_.time, total.shift, local.sigma, numbers_.reach);
    }
}

}  // namespace stemzoo::drift
