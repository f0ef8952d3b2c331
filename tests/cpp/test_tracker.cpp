// What a tracker makes of answers; a stand-in gives them. Frames are named by their first pixel.
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "drift/tracker.hpp"

using stemzoo::AnyView;
using stemzoo::contiguous;
using stemzoo::Shape;
using namespace stemzoo::drift;

namespace {

constexpr double reach = 16, likeness = 0.7;
constexpr Vector usual_sigma{0.1, 0.2};
constexpr Shape shape{64, 64};

Drift certain(double dy, double dx, Vector sigma = usual_sigma) {
    return {{dy, dx}, sigma, 0.9, {}, Reason::none};
}

// The first shift is the answer, at 0.4, and the others may as well be.
Drift open_question(const std::vector<Vector>& shifts) {
    Drift drift{shifts[0], usual_sigma, 0.8, {}, Reason::others};
    for (std::size_t i = 1; i < shifts.size(); ++i) {
        drift.candidates.push_back({shifts[i], 0.6 / static_cast<double>(shifts.size() - 1)});
    }
    return drift;
}

struct StandIn final : Comparison {
    mutable std::deque<Drift> answers;
    mutable std::vector<int> references;
    mutable std::vector<bool> aided;
    bool alike = true;
    mutable std::size_t places_asked = 0;

    FramePointer prepare(const AnyView& image, const MaskView*, const std::string&) const override {
        CleanFrame frame{shape, {}, {}, {}, {}};
        frame.pixels = stemzoo::Scratch<float>(shape.size());
        std::fill_n(frame.pixels.data(), shape.size(), 0.0f);
        frame.pixels[0] = std::get<stemzoo::View<const float>>(image).data[0];
        return std::make_shared<const PreparedFrame>(std::move(frame), 1u);
    }
    Drift compare(const PreparedFrame& reference, const PreparedFrame&,
                  const Expectation* expected) const override {
        references.push_back(static_cast<int>(reference.clean().pixels[0]));
        aided.push_back(expected != nullptr);
        const Drift next = answers.front();
        answers.pop_front();
        return next;
    }
    double correlation(const PreparedFrame&, const PreparedFrame&, const Vector&) const override {
        return likeness;
    }
    bool beyond_chance(const PreparedFrame&, const PreparedFrame&, const Vector&,
                       std::size_t places) const override {
        places_asked = places;
        return alike;
    }
};

class Series {
  public:
    explicit Series(std::optional<double> renew = 0.5, Shape field = shape, std::size_t most = 16)
        : stand_in(std::make_shared<StandIn>()), tracker(stand_in, blank(field), most, renew) {}

    // Every answer comes with a frame, named 1, 2, ...
    TrackedDrift push(const Drift& answer, std::optional<double> time = std::nullopt) {
        stand_in->answers.push_back(answer);
        const std::vector<float> pixels(shape.size(), static_cast<float>(++pushed_));
        return tracker.push(AnyView(contiguous(pixels.data(), shape)), nullptr, time);
    }
    TrackedDrift push_all(const std::vector<Drift>& answers) {
        TrackedDrift last;
        for (const Drift& each : answers) last = push(each);
        return last;
    }

    std::shared_ptr<StandIn> stand_in;
    Tracker tracker;

  private:
    static FramePointer blank(Shape field) {
        CleanFrame frame{field, stemzoo::Scratch<float>(field.size()), {}, {}, {}};
        std::fill_n(frame.pixels.data(), field.size(), 0.0f);
        return std::make_shared<const PreparedFrame>(std::move(frame), 1u);
    }

    int pushed_ = 0;
};

// The next is at (4.5, 0).
std::vector<Drift> steady() {
    std::vector<Drift> drifts;
    for (int k = 1; k < 9; ++k) drifts.push_back(certain(0.5 * k, 0));
    return drifts;
}

void check_shift(const Vector& shift, double dy, double dx) {
    CHECK_NEAR(shift[0], dy, 1e-12);
    CHECK_NEAR(shift[1], dx, 1e-12);
}

}  // namespace

TEST(tracker_renews_its_reference_halfway_and_adds_errors_in_quadrature) {
    Series series;
    const std::vector<Drift> local{certain(8, 3), certain(2, 8.5), certain(3, 1), certain(-9, 0),
                                   certain(1, 1)};
    const double places[][2] = {{8, 3}, {2, 8.5}, {5, 9.5}, {-7, 8.5}, {-6, 9.5}};
    const int links[] = {1, 1, 2, 2, 3};
    TrackedDrift found;
    for (std::size_t i = 0; i < local.size(); ++i) {
        found = series.push(local[i]);
        check_shift(found.drift.shift, places[i][0], places[i][1]);
        for (std::size_t axis = 0; axis < 2; ++axis) {
            CHECK_NEAR(found.drift.sigma[axis], usual_sigma[axis] * std::sqrt(links[i]), 1e-12);
        }
    }
    CHECK((series.stand_in->references == std::vector<int>{0, 0, 2, 2, 4}));
    CHECK(series.tracker.predict({}).sigma[0] > found.drift.sigma[0]);
}

TEST(tracker_renews_by_a_share_of_a_third_of_the_field_where_that_is_less) {
    for (const Shape field : {Shape{64, 64}, Shape{30, 64}}) {
        const double range = std::min(20.0, static_cast<double>(field.rows / 3));
        Series series(0.8, field, 20);
        series.push_all({certain(0, 0.79 * range), certain(-0.81 * range, 0), certain(0, 0)});
        CHECK((series.stand_in->references == std::vector<int>{0, 0, 2}));
    }
}

TEST(tracker_keeps_the_first_reference_where_it_is_told_to) {
    Series series(std::nullopt);
    series.push_all({certain(15, 0), certain(15, 0)});
    CHECK((series.stand_in->references == std::vector<int>{0, 0}));
}

TEST(tracker_takes_no_reference_that_is_blank_or_ambiguous) {
    for (const Drift& far : {Drift{}, open_question({{12, 0}, {-12, 0}})}) {
        Series series;
        series.push(certain(1, 0));
        CHECK(series.push(far).drift.ambiguous());
        CHECK_NEAR(series.push(certain(1, 0)).drift.shift[0], 1, 0);
        CHECK((series.stand_in->references == std::vector<int>{0, 0, 0}));
    }
}

TEST(tracker_is_not_changed_by_what_says_nothing) {
    Series series;
    CHECK(!series.tracker.motion());
    series.push_all({certain(1, -2), certain(2, -4)});
    const State before = *series.tracker.motion();
    const Prediction later = series.tracker.predict(4.0);
    const Drift nothing = series.push(Drift{}).drift;
    CHECK(std::isnan(nothing.shift[0]) && std::isinf(nothing.sigma[0]) && nothing.ambiguous());
    const State after = *series.tracker.motion();
    CHECK(after[0].rate == before[0].rate && after[1].rate_variance == before[1].rate_variance);
    const Prediction next = series.tracker.predict({});  // time has passed, though
    CHECK(next.shift == later.shift && next.sigma == later.sigma);
}

TEST(tracker_knows_rate_and_prediction_of_a_steady_drift) {
    Series series(std::nullopt);
    const Prediction first = series.tracker.predict({});
    check_shift(first.shift, 0, 0);
    check_shift(first.sigma, reach, reach);
    for (int k = 1; k < 13; ++k) series.push(certain(0.5 * k, -0.25 * k));
    const State state = *series.tracker.motion();
    CHECK_NEAR(state[0].rate, 0.5, 0.01);
    CHECK_NEAR(state[1].rate, -0.25, 0.01);
    CHECK(std::sqrt(std::max(state[0].rate_variance, state[1].rate_variance)) < 0.3);
    const Prediction expected = series.tracker.predict({});
    CHECK_NEAR(expected.shift[0], 6.5, 0.02);
    CHECK_NEAR(expected.shift[1], -3.25, 0.02);
    CHECK(series.tracker.predict(20.0).sigma[0] > expected.sigma[0]);
}

TEST(tracker_rates_are_per_unit_of_the_times_given) {
    Series series(std::nullopt);
    for (int k = 0; k < 8; ++k) series.push(certain(0.5 * k, 0), 100 + 0.25 * k);
    CHECK_NEAR((*series.tracker.motion())[0].rate, 2, 0.05);
    CHECK_NEAR(series.tracker.predict({}).shift[0], 4, 0.05);
    CHECK_NEAR(series.tracker.predict(103.0).shift[0], 6, 0.1);
}

TEST(tracker_prediction_chooses_among_lattice_vectors) {
    Series series(std::nullopt);
    series.push_all(steady());
    const TrackedDrift found =
        series.push(open_question({{-5.5, 0}, {4.6, 0.1}, {14.5, 0}, {4.5, 10}}));
    check_shift(found.drift.shift, 4.6, 0.1);
    CHECK(found.resolved && !found.drift.ambiguous());
    CHECK(series.stand_in->places_asked >= 1 && series.stand_in->places_asked < shape.size());
    CHECK_NEAR(found.drift.score, likeness, 0);
    CHECK(found.drift.sigma[0] > usual_sigma[0]);  // a candidate is not as exact as an answer
    check_shift(found.drift.candidates[0].shift, -5.5, 0);
    CHECK_NEAR(found.drift.candidates[0].probability, 0.4, 1e-12);
    CHECK(found.drift.candidates.size() == 3);
    for (std::size_t i : {1, 2}) CHECK_NEAR(found.drift.candidates[i].probability, 0.2, 1e-12);
    CHECK_NEAR(series.tracker.predict({}).shift[0], 5, 0.15);
}

TEST(tracker_prediction_chooses_nothing_that_chance_makes) {
    Series series(std::nullopt);
    series.stand_in->alike = false;
    series.push_all(steady());
    const TrackedDrift found = series.push(open_question({{-5.5, 0}, {4.6, 0.1}}));
    CHECK(found.drift.ambiguous() && !found.resolved);
    check_shift(found.drift.shift, -5.5, 0);
}

TEST(tracker_prediction_may_choose_the_answer_itself) {
    Series series;
    series.push_all(steady());
    const TrackedDrift found = series.push(open_question({{4.5, 0}, {-5.5, 0}}));
    CHECK(found.resolved);
    check_shift(found.drift.shift, 4.5, 0);
    check_shift(found.drift.sigma, usual_sigma[0], usual_sigma[1]);
    CHECK_NEAR(found.drift.score, 0.8, 0);
}

TEST(tracker_candidates_are_since_the_first_reference) {
    Series series;
    series.push_all({certain(4, 0), certain(8, 0), certain(12, 0), certain(4, 0), certain(8, 0)});
    const TrackedDrift found = series.push(open_question({{2, 0}, {12, 0}}));
    CHECK(series.stand_in->references.back() == 3);
    CHECK(found.resolved);
    CHECK_NEAR(found.drift.shift[0], 24, 1e-12);
    CHECK(found.drift.candidates.size() == 1);
    check_shift(found.drift.candidates[0].shift, 14, 0);
}

TEST(tracker_leaves_open_what_a_prediction_does_not_settle) {
    const std::vector<std::vector<Vector>> open{
        {{-5.5, 0}, {14.5, 0}},  // neither is expected
        {{4.4, 0}, {4.6, 0}},    // both are
        {{-5.5, 0}},
    };
    for (const auto& shifts : open) {
        Series series;
        series.push_all(steady());
        const TrackedDrift found = series.push(open_question(shifts));
        CHECK(found.drift.ambiguous() && !found.resolved);
        check_shift(found.drift.shift, shifts[0][0], shifts[0][1]);
        CHECK(found.drift.candidates.size() + 1 == shifts.size());
        CHECK_NEAR(series.tracker.predict({}).shift[0], 5, 0.05);
    }
}

// A candidate not far enough from the expected place is a hop that would not be noticed.
TEST(tracker_prediction_must_rule_out_all_other_candidates) {
    for (const int deviations : {5, 7}) {
        Series series;
        series.push_all(steady());
        const Prediction expected = series.tracker.predict({});
        const double away = deviations * std::hypot(expected.sigma[0], usual_sigma[0]);
        const Drift open = open_question({{4.5, 0}, {expected.shift[0] + away, 0}});
        CHECK(series.push(open).resolved == (deviations == 7));
    }
}

TEST(tracker_settles_nothing_before_the_rate_is_known) {
    Series series;
    CHECK(series.push(open_question({{1, 0}})).drift.ambiguous());
    CHECK(series.push(open_question({{1, 0}, {60, 0}})).drift.ambiguous());
}

TEST(tracker_compares_every_eighth_frame_without_its_prediction) {
    Series series(std::nullopt);
    for (int k = 1; k < 18; ++k) series.push(certain(0.1 * k, 0));
    for (std::size_t k = 1; k < 18; ++k) {
        CHECK(series.stand_in->aided[k - 1] == (k > 1 && k % 8 != 0));
    }
}

TEST(tracker_time_runs_one_way) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto refuses = [](const std::vector<std::optional<double>>& times, const char* message) {
        Series series;
        for (std::size_t i = 0; i + 1 < times.size(); ++i) series.push(certain(0, 0), times[i]);
        CHECK_THROWS(series.push(certain(0, 0), times.back()), BadTime, message);
    };
    refuses({1.0, std::nullopt}, "the frames before had one; give a time with every frame");
    refuses({std::nullopt, 9.0}, "time is 9.0, and the frames before had none");
    refuses({1.0, 1.0}, "time is 1.0; expected one after the last frame's 1.0");
    refuses({5.0, 1.25}, "time is 1.25; expected one after the last frame's 5.0");
    refuses({5.0, nan}, "time is nan");
    refuses({0.0, 1e-200}, "time is 1e-200; expected one after the last frame's 0.0");
    refuses({1e300}, "time is 1e+300; expected a number from");
    refuses({std::numeric_limits<double>::infinity()},
            "time is inf; expected a number from -1e+60 to 1e+60");
    Series series;
    series.push_all(steady());
    const Prediction before = series.tracker.predict({});
    CHECK_THROWS(series.tracker.predict(3.0), BadTime,
                 "time is 3.0, before the last frame's 8.0; it is past");
    CHECK_THROWS(series.tracker.predict(1e300), BadTime, "time is 1e+300; expected at most 1e+60");
    CHECK_THROWS(series.push(certain(0, 0), 9.0), BadTime, "had none");
    CHECK(series.tracker.predict({}).shift == before.shift);
}

TEST(tracker_goes_on_from_its_numbers) {
    Series series;
    series.push_all(steady());
    Tracker other(series.stand_in, series.tracker.reference(), series.tracker.numbers());
    CHECK(other.predict({}).shift == series.tracker.predict({}).shift);
    CHECK(other.predict({}).sigma == series.tracker.predict({}).sigma);
    CHECK(other.numbers().pushed == 8);
}
