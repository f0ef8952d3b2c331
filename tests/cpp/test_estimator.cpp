// The estimator with a network that a test supplies, and without one.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "drift/estimator.hpp"
#include "drift/evidence.hpp"
#include "drift/look.hpp"
#include "ncc_reference.hpp"

using stemzoo::AnyView;
using stemzoo::contiguous;
using stemzoo::Shape;
using namespace stemzoo::drift;

namespace {

constexpr Shape shape{128, 128};
constexpr Vector truth{5.3, -7.6};

// Columns of uneven height, 11 px apart, on a little noise.
reference::Image<float> crystal(const Vector& shift, unsigned seed, double unevenness = 0.3) {
    auto image = reference::noise<float>(shape, seed, 0, 0.02);
    const auto heights = reference::noise<float>({32, 32}, 4, 1, unevenness);
    for (std::size_t a = 0; a < 20; ++a) {
        for (std::size_t b = 0; b < 20; ++b) {
            const double y = 11.0 * static_cast<double>(a) - 44 + shift[0],
                         x = 11.0 * static_cast<double>(b) - 44 + shift[1];
            for (std::size_t r = 0; r < shape.rows; ++r) {
                const double dy = static_cast<double>(r) - y;
                if (std::abs(dy) > 12) continue;
                for (std::size_t c = 0; c < shape.cols; ++c) {
                    const double dx = static_cast<double>(c) - x;
                    if (std::abs(dx) > 12) continue;
                    const double column = std::exp(-(dy * dy + dx * dx) / 11.5);
                    image.at(r, c) += heights.at(a, b) * static_cast<float>(column);
                }
            }
        }
    }
    return image;
}

FramePointer prepared(const Estimator& estimator, const reference::Image<float>& image) {
    return estimator.prepare(AnyView(image.view()), nullptr, "image");
}

Drift drift_of(const Estimator& estimator, const reference::Image<float>& a,
               const reference::Image<float>& b) {
    return estimator.compare(*prepared(estimator, a), *prepared(estimator, b));
}

// Two maps: the look's third channel counts for a drift, and nothing against it.
Maps third_channel(const float* look, Shape area) {
    auto values = std::make_shared<std::vector<float>>(2 * area.size());
    std::copy_n(look + 2 * area.size(), area.size(), values->begin());
    return {values->data(), 2, area, values};
}

Estimator without_network() { return {shape, Estimator::usual_reach(shape), {}, 1}; }

bool same(const Drift& a, const Drift& b) {
    const auto alike = [](const Candidate& x, const Candidate& y) {
        return x.shift == y.shift && x.probability == y.probability;
    };
    return a.shift == b.shift && a.sigma == b.sigma && a.score == b.score && a.reason == b.reason &&
           std::equal(a.candidates.begin(), a.candidates.end(), b.candidates.begin(),
                      b.candidates.end(), alike);
}

}  // namespace

TEST(estimator_finds_a_drift_with_and_without_a_network) {
    const auto still = crystal({0, 0}, 1), moved = crystal(truth, 2);
    std::atomic<int> calls{0};
    const Network network = [&](const float* look, Shape area) {
        ++calls;
        CHECK(area == look_shape(shape, coarse_stride) || area == look_shape(shape, fine_stride));
        return third_channel(look, area);
    };
    for (const Network& each : {Network(), network}) {
        const Estimator estimator(shape, Estimator::usual_reach(shape), each, 1);
        const Drift found = drift_of(estimator, still, moved);
        CHECK(found.reason == Reason::none);
        CHECK_NEAR(found.shift[0], truth[0], 0.1);
        CHECK_NEAR(found.shift[1], truth[1], 0.1);
        CHECK(found.score > 0.5 && found.score <= 1);
        CHECK(found.probability() > 0.9);
        CHECK(found.sigma[0] > 0 && found.sigma[0] < 0.1);
    }
    CHECK(calls >= 2);
}

TEST(estimator_makes_features_of_a_frame_once) {
    int calls = 0;
    const Network network = [&](const float* look, Shape area) {
        ++calls;
        return third_channel(look, area);
    };
    const Estimator estimator(shape, {42, 42}, network, 1);
    const FramePointer still = prepared(estimator, crystal({0, 0}, 1)),
                       moved = prepared(estimator, crystal(truth, 2));
    const Drift first = estimator.compare(*still, *moved);
    const int after = calls;
    CHECK(same(estimator.compare(*still, *moved), first));
    CHECK(calls == after);
    CHECK(still->has_evidence(coarse_stride));
}

TEST(estimator_knows_what_it_cannot_tell) {
    const Estimator estimator = without_network();
    const auto still = crystal({0, 0}, 1, 0.0), moved = crystal(truth, 2, 0.0);
    const Drift perfect = drift_of(estimator, still, moved);
    CHECK(perfect.reason == Reason::others);
    CHECK(!perfect.candidates.empty());
    const reference::Image<float> blank(shape);
    const Drift none = drift_of(estimator, blank, moved);
    CHECK(none.reason == Reason::nothing && std::isnan(none.shift[0]) && !none.known());
    const auto noise = [](unsigned seed) { return reference::noise<float>(shape, seed); };
    CHECK(drift_of(estimator, noise(7), noise(8)).ambiguous());
}

TEST(evidence_without_the_lattice_is_beyond_chance_at_the_true_drift_only_where_there_is_some) {
    const Estimator estimator = without_network();
    const Network none;
    for (const double unevenness : {0.3, 0.0}) {
        const FramePointer still = prepared(estimator, crystal({0, 0}, 1, unevenness)),
                           moved = prepared(estimator, crystal(truth, 2, unevenness));
        PairEvidence pair(*still, *moved, {shape, {42, 42}, {42, 42}, none, 1});
        CHECK(pair.beyond_chance(truth) == (unevenness > 0));
        CHECK(!pair.beyond_chance({truth[0] + 11, truth[1]}));
    }
}

TEST(estimator_confirms_a_drift_where_it_is_expected) {
    const Estimator estimator = without_network();
    const FramePointer still = prepared(estimator, crystal({0, 0}, 1)),
                       moved = prepared(estimator, crystal(truth, 2));
    const auto found = estimator.confirm(*still, *moved, {{5, -7.5}, {0.3, 0.3}});
    CHECK(found && found->reason == Reason::none);
    CHECK_NEAR(found->shift[0], truth[0], 0.15);
    CHECK_NEAR(found->shift[1], truth[1], 0.15);
    CHECK(!estimator.confirm(*still, *moved, {{1, -12.5}, {0.3, 0.3}}));
}

TEST(estimator_coarse_answers_are_near_and_say_so) {
    const Estimator estimator = without_network();
    const FramePointer still = prepared(estimator, crystal({0, 0}, 1)),
                       moved = prepared(estimator, crystal(truth, 2));
    const Drift found = estimator.compare_coarsely(*still, *moved);
    CHECK_NEAR(found.shift[0], truth[0], 0.5);
    CHECK(found.sigma[0] > 0.1);
    CHECK(found.candidates.size() <= 15);
}

TEST(estimator_passes_on_what_a_network_throws) {
    const Network broken = [](const float*, Shape) -> Maps { throw std::runtime_error("no GPU"); };
    const Network other = [](const float* look, Shape) { return third_channel(look, {8, 8}); };
    const auto still = crystal({0, 0}, 1, 0.0), moved = crystal(truth, 2, 0.0);
    CHECK_THROWS(drift_of(Estimator(shape, {42, 42}, broken, 1), still, moved), std::runtime_error,
                 "no GPU");
    CHECK_THROWS(drift_of(Estimator(shape, {42, 42}, other, 1), still, moved),
                 std::invalid_argument, "expected maps of the same shape");
}

TEST(estimator_finds_nothing_by_maps_that_hold_nan) {
    const Network broken = [](const float*, Shape area) -> Maps {
        auto values = std::make_shared<std::vector<float>>(2 * area.size(), NAN);
        return {values->data(), 2, area, values};
    };
    const auto still = crystal({0, 0}, 1, 0.0), moved = crystal(truth, 2, 0.0);
    const Drift found = drift_of(Estimator(shape, {42, 42}, broken, 1), still, moved);
    CHECK(found.ambiguous() && !found.known());
}

TEST(estimator_refuses_frames_of_another_shape) {
    const auto image = reference::noise<float>({40, 48}, 1);
    CHECK_THROWS(prepared(Estimator({48, 40}, {10, 10}), image), std::invalid_argument,
                 "image is 40 x 48 pixels; expected 48 x 40");
}

TEST(estimator_gives_the_same_on_any_number_of_threads) {
    const auto still = crystal({0, 0}, 1), moved = crystal(truth, 2);
    const Drift expected = drift_of(without_network(), still, moved);
    for (const unsigned threads : {0u, 3u}) {
        CHECK(same(drift_of({shape, {42, 42}, third_channel, threads}, still, moved),
                   drift_of({shape, {42, 42}, third_channel, 1}, still, moved)));
        CHECK(same(drift_of({shape, {42, 42}, {}, threads}, still, moved), expected));
    }
}

TEST(features_near_missing_pixels_are_not_trusted) {
    constexpr Shape frame{65, 82};
    for (const std::size_t stride : {coarse_stride, fine_stride}) {
        Flags missing(frame.size());
        missing[20 * frame.cols + 31] = 1;
        const std::vector<float> trust = trusted_features(missing, frame, stride);
        const Shape area = look_shape(frame, stride);
        CHECK(trust.size() == area.size());
        for (std::size_t i = 0; i < trust.size(); ++i) {
            const auto y = static_cast<double>(i / area.cols * stride),
                       x = static_cast<double>(i % area.cols * stride);
            const bool seen =
                std::max(std::abs(y - 20), std::abs(x - 31)) <= 4 * static_cast<double>(stride);
            CHECK(trust[i] == (seen ? 0.0f : 1.0f));
        }
    }
}
