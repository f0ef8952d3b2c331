// Candidate drifts: the log-odds of surfaces, the prior, the posterior, and peaks that need
// neither.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "drift/candidates.hpp"

using stemzoo::Shape;
using namespace stemzoo::drift;

namespace {

constexpr Shape field{256, 320}, extent{45, 55};
const std::vector<Vector> shifts{{3, -4}, {20.5, 1}, {-14, 37.5}};

// 91 x 111 values, of shifts in steps of the surface.
class Values {
  public:
    explicit Values(const std::function<double(double, double)>& f, std::size_t stride = 2)
        : stride_(stride) {
        for (int y = -45; y <= 45; ++y) {
            for (int x = -55; x <= 55; ++x) values_.push_back(static_cast<float>(f(y, x)));
        }
    }
    explicit Values(double level) : Values([level](double, double) { return level; }) {}

    float& at(int y, int x) { return values_[static_cast<std::size_t>((y + 45) * 111 + x + 55)]; }
    Surface surface() const { return {values_.data(), {91, 111}, stride_}; }

  private:
    std::size_t stride_;
    std::vector<float> values_;
};

double sum(const Posterior& found) {
    return std::accumulate(
        found.candidates.begin(), found.candidates.end(), 0.0,
        [](double total, const Candidate& each) { return total + each.probability; });
}

std::vector<Peak> lattice() { return {{4, 1, 9, 0.2f}, {-7, 1, 8.9f, 0.2f}, {15, 1, 8.8f, 0.05f}}; }

}  // namespace

TEST(surface_is_interpolated_between_its_values) {
    const Values plane([](double y, double x) { return 2 * y - 3 * x; });
    for (const Vector& shift : shifts) {
        CHECK_NEAR(plane.surface().at(shift), shift[0] - 1.5 * shift[1], 1e-9);
    }
}

TEST(surface_goes_on_as_its_edge) {
    const Values slope([](double y, double) { return y; });
    CHECK_NEAR(slope.surface().at({90, 110}), 45, 2e-3);
    CHECK_NEAR(slope.surface().at({800, 0}), 45, 2e-3);
    CHECK_NEAR(slope.surface().at({-800, -800}), -45, 2e-3);
}

TEST(posterior_of_a_coarse_surface_has_the_same_places) {
    const Vector& there = shifts[1];
    Values odds([&](double y, double x) { return -std::hypot(4 * y - there[0], 4 * x - there[1]); },
                4);
    CHECK(posterior(shifts, odds.surface(), field, {}).candidates[0].shift == there);
    const std::vector<float> prior = prior_surface(extent, {80, 100}, field, 4);
    const auto finite = [](float value) { return std::isfinite(value); };
    CHECK(std::count_if(prior.begin(), prior.end(), finite) == 41 * 51);
    Values peak([](double, double) { return 0.0; }, 4);
    peak.at(10, -15) = 50;
    std::vector<Vector> found = shifts;
    add_most_probable(found, peak.surface(), prior);
    CHECK(found.size() == 4 && (found.back() == Vector{40, -60}));
    const std::vector<Vector> beside{{40 + 4.8, -60 - 4.8}};
    found = beside;
    add_most_probable(found, peak.surface(), prior);
    CHECK(found == beside);
}

TEST(posterior_sums_to_one_the_most_probable_first) {
    Values odds(0);
    odds.at(10, 0) = odds.at(11, 0) = 4;  // at (20 to 22, 0) px
    const Posterior found = posterior(shifts, odds.surface(), field, {});
    CHECK(found.candidates[0].shift == shifts[1]);
    CHECK_NEAR(sum(found), 1, 1e-9);
    for (std::size_t i = 1; i < found.candidates.size(); ++i) {
        CHECK(found.candidates[i].probability <= found.candidates[i - 1].probability);
    }
}

TEST(posterior_is_the_softmax_of_log_odds_and_prior) {
    const Values odds([](double y, double x) { return 0.1 * y + 0.02 * x; });
    std::vector<double> before, both;
    for (const Vector& shift : shifts) {
        before.push_back(std::exp(log_prior(shift, field)));
        both.push_back(before.back() * std::exp((0.1 * shift[0] + 0.02 * shift[1]) / 2));
    }
    const double all_before = before[0] + before[1] + before[2],
                 all_both = both[0] + both[1] + both[2];
    std::vector<double> expected;
    for (std::size_t i = 0; i < 3; ++i) {
        // Unless the features mislead, and then it is what was known before.
        expected.push_back(0.99 * both[i] / all_both + 0.01 * before[i] / all_before);
    }
    std::sort(expected.rbegin(), expected.rend());
    const Posterior found = posterior(shifts, odds.surface(), field, {});
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK_NEAR(found.candidates[i].probability / expected[i], 1, 1e-4);
    }
}

TEST(posterior_is_never_beyond_doubt) {
    Values odds(0);
    for (const int y : {1, 2}) {
        for (const int x : {-3, -2}) odds.at(y, x) = 1e6f;  // at the first shift
    }
    const Posterior found = posterior(shifts, odds.surface(), field, {});
    CHECK(found.candidates.size() == 3);
    CHECK(found.candidates[0].probability > 0.99 && found.candidates[0].probability < 1);
}

TEST(posterior_drops_what_is_too_unlikely) {
    const std::vector<Vector> far{{0, 0}, {2, 0}, {1e5, 1e5}};
    CHECK(posterior(far, Values(0).surface(), field, {}).candidates.size() == 2);
}

TEST(posterior_depends_on_differences_of_log_odds_only) {
    const Posterior expected = posterior(shifts, Values(0).surface(), field, {});
    for (const double level : {3000.0, -3000.0}) {
        const Posterior found = posterior(shifts, Values(level).surface(), field, {});
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK_NEAR(found.candidates[i].probability / expected.candidates[i].probability, 1,
                       1e-6);
        }
    }
}

TEST(most_probable_shift_is_a_candidate_where_no_peak_is_near) {
    const std::vector<float> prior = prior_surface(extent, {80, 100}, field, 2);
    Values odds(0);
    odds.at(20, -30) = 50;
    std::vector<Vector> found = shifts;
    add_most_probable(found, odds.surface(), prior);
    CHECK(found.size() == 4 && (found.back() == Vector{40, -60}));
    const std::vector<Vector> beside{{42.4, -62.4}};
    found = beside;
    add_most_probable(found, odds.surface(), prior);
    CHECK(found == beside);
    found = shifts;
    add_most_probable(found, Values(0).surface(), prior);
    CHECK(found == shifts);
    found.clear();
    add_most_probable(found, odds.surface(), prior);
    CHECK(found.size() == 1 && (found[0] == Vector{40, -60}));
}

TEST(prior_is_zero_beyond_the_reach) {
    const Shape lags = lag_extent({20, 30}, field, 2);
    const std::vector<float> prior = prior_surface(lags, {20, 30}, field, 2);
    const std::size_t cols = 2 * lags.cols + 1;
    CHECK(prior.size() == (2 * lags.rows + 1) * cols);
    const auto finite = [](float value) { return std::isfinite(value); };
    CHECK(std::count_if(prior.begin(), prior.end(), finite) == 21 * 31);  // every other pixel
    CHECK(*std::max_element(prior.begin(), prior.end()) == 0);
    CHECK(prior[lags.rows * cols + lags.cols] == 0);
}

TEST(prior_favours_short_drifts_and_none_is_impossible) {
    const Shape square{256, 256};
    CHECK(log_prior({0, 0}, square) == 0);
    CHECK(log_prior({5, 0}, square) < 0);
    CHECK(log_prior({0, 20}, square) < log_prior({5, 0}, square));
    CHECK_NEAR(log_prior({85, 0}, square), -8, 0.5);
}

TEST(lags_are_shorter_than_the_features_of_a_frame) {
    CHECK((lag_extent({300, 300}, {64, 70}, 2) == Shape{31, 31}));
    CHECK((lag_extent({300, 300}, {64, 73}, 4) == Shape{15, 17}));
}

TEST(peak_that_stands_alone_needs_no_features) {
    CHECK(!unrivalled_peak(lattice(), nullptr));
    CHECK(unrivalled_peak({{4, 1, 9, 0.2f}, {-7, 1, 4.4f, 0.2f}}, nullptr) == 0u);
    // Of one broad peak.
    CHECK(unrivalled_peak({{4, 1, 9, 0.2f}, {5, 1, 8.5f, 0.2f}, {-7, 1, 4.4f, 0.2f}}, nullptr) ==
          0u);
    CHECK(!unrivalled_peak({}, nullptr));
}

TEST(peak_is_found_where_a_drift_is_expected_alone) {
    const Expectation there{{-6.8, 1.2}, {0.5, 0.5}}, between{{-1.5, 1}, {0.5, 0.5}},
        unsure{{-6.8, 1.2}, {3, 3}};
    CHECK(unrivalled_peak(lattice(), &there) == 1u);
    CHECK(!unrivalled_peak(lattice(), &between));
    CHECK(!unrivalled_peak(lattice(), &unsure));
    CHECK(!unrivalled_peak({}, &there));
}

TEST(peak_that_is_broad_does_not_say_where_it_is) {
    CHECK(at_sharp_peak(lattice(), {4.2, 1.1}));
    CHECK(!at_sharp_peak(lattice(), {15, 1}));
    CHECK(!at_sharp_peak(lattice(), {0, 1}));
    CHECK(!at_sharp_peak({}, {0, 0}));
}
