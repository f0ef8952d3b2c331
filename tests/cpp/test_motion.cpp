// The Kalman filter of a drift: its errors are as large as it says.
#include <cmath>
#include <random>

#include "check.hpp"
#include "drift/candidates.hpp"
#include "drift/motion.hpp"

using namespace stemzoo::drift;

// On the motion the filter is made for; on a steadier one it may only be too careful.
TEST(motion_two_thirds_of_predictions_hold_within_one_sigma) {
    for (const double jolt : {0.0, 0.1, 1.0}) {
        std::mt19937 random(7);
        std::normal_distribution<double> normal;
        std::size_t held = 0, all = 0;
        for (int walk = 0; walk < 60; ++walk) {
            Motion motion(0, {0, 0}, {0, 0}, 80);
            Vector place{0, 0}, rate{3 * normal(random), 3 * normal(random)};
            for (int time = 1; time < 50; ++time) {
                for (std::size_t i = 0; i < 2; ++i) {
                    const double before = rate[i];
                    rate[i] += jolt * normal(random);
                    place[i] += (before + rate[i]) / 2;
                }
                const State expected = motion.at(time);
                for (std::size_t i = 0; i < 2 && time > 5; ++i) {
                    const double miss = std::abs(expected[i].position - place[i]);
                    held += miss < std::sqrt(expected[i].position_variance);
                    ++all;
                }
                motion.measure(time,
                               {place[0] + 0.1 * normal(random), place[1] + 0.1 * normal(random)},
                               {0.1, 0.1});
            }
        }
        const double share = static_cast<double>(held) / static_cast<double>(all);
        CHECK(share > 0.64);
        CHECK(jolt == 0 || share < 0.72);
    }
}

// As where a corrected beam moves the picture between two frames that come close together.
TEST(motion_a_jump_in_a_short_step_leads_nowhere_far_with_confidence) {
    for (const double jump : {1.0, 2.0, 3.0, 5.0}) {
        for (const double share : {0.03, 0.1, 0.3}) {
            std::mt19937 random(7);
            std::normal_distribution<double> normal;
            Motion motion(0, {0, 0}, {0, 0}, 80);
            double time = 0;
            for (int frame = 0; frame < 20; ++frame) {
                motion.measure(time += 0.1, {normal(random), normal(random)}, {0.01, 0.01});
            }
            const Vector from{motion.state()[0].position, motion.state()[1].position};
            motion.measure(time += share * 0.1, {from[0] + jump, from[1] - jump}, {0.01, 0.01});
            const State expected = motion.at(time + 0.1);
            for (std::size_t i = 0; i < 2; ++i) {
                const double miss = std::abs(expected[i].position - from[i]);
                CHECK(miss < excluded * std::sqrt(expected[i].position_variance));
            }
        }
    }
}
