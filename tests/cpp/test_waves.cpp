// Waves: one between the frequencies of a spectrum is subtracted to far below the noise, with what
// it does to its neighbours and to its mirror image.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "check.hpp"
#include "core/fft2d.hpp"
#include "core/taper.hpp"
#include "drift/waves.hpp"

using stemzoo::Fft2d;
using stemzoo::Shape;
using stemzoo::SpectrumLayout;
using stemzoo::taper;
using stemzoo::drift::subtract_waves;
using stemzoo::drift::TaperTransform;

namespace {

constexpr double turn = 2 * 3.14159265358979323846;

struct Wave {
    double down, across, phase, height;  // frequencies: turns over the whole frame
};

std::vector<float> spectrum_of(const Fft2d& fft, const std::vector<Wave>& waves) {
    const Shape shape = fft.layout().image;
    const std::vector<float> down = taper(shape.rows), across = taper(shape.cols);
    std::vector<float> image(shape.size()), spectrum(fft.layout().size);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            double sum = 0;
            for (const Wave& wave : waves) {
                const double y = static_cast<double>(r) / static_cast<double>(shape.rows),
                             x = static_cast<double>(c) / static_cast<double>(shape.cols);
                sum +=
                    wave.height * std::cos(turn * (wave.down * y + wave.across * x) + wave.phase);
            }
            image[r * shape.cols + c] = static_cast<float>(sum) * down[r] * across[c];
        }
    }
    fft.forward(image.data(), spectrum.data());
    return spectrum;
}

double highest(const SpectrumLayout& layout, const std::vector<float>& spectrum) {
    double most = 0;
    for (std::size_t ky = 0; ky < layout.rows; ++ky) {
        for (std::size_t x = 0; x < layout.image.cols; ++x) {
            most = std::max(
                most, std::hypot(static_cast<double>(layout.real(spectrum.data(), ky)[x]),
                                 static_cast<double>(layout.imaginary(spectrum.data(), ky)[x])));
        }
    }
    return most;
}

// What is left of the waves, relative to the highest of them.
double left_of(Shape shape, const std::vector<Wave>& waves) {
    const Fft2d fft(shape);
    const SpectrumLayout& layout = fft.layout();
    std::vector<float> spectrum = spectrum_of(fft, waves);
    std::vector<std::size_t> peaks;
    for (const Wave& wave : waves) {
        const auto wrapped = [](double place, std::size_t side) {
            const auto n = static_cast<std::ptrdiff_t>(side);
            return static_cast<std::size_t>((std::lround(place) % n + n) % n);
        };
        peaks.push_back(wrapped(wave.down, shape.rows) * shape.cols +
                        wrapped(wave.across, shape.cols));
    }
    const double before = highest(layout, spectrum);
    subtract_waves(layout, TaperTransform(taper(shape.rows)), TaperTransform(taper(shape.cols)),
                   peaks, static_cast<float>(1e-5 * before), spectrum.data());
    return highest(layout, spectrum) / before;
}

}  // namespace

TEST(taper_transform_is_the_sum_that_it_stands_for) {
    for (const std::size_t side : {40u, 41u}) {
        const std::vector<float> weights = taper(side);
        const TaperTransform transform(weights);
        for (const float away : {0.0f, 0.31f, -1.7f, 2.5f, 7.04f}) {
            double sum = 0, slope = 0;
            for (std::size_t i = 0; i < side; ++i) {
                const double at = turn / static_cast<double>(side) *
                                  (static_cast<double>(i) - (static_cast<double>(side) - 1) / 2);
                const auto weight = static_cast<double>(weights[i]);
                sum += weight * std::cos(at * static_cast<double>(away));
                slope -= weight * at * std::sin(at * static_cast<double>(away));
            }
            CHECK_NEAR(transform.at(away).value, sum, 1e-4 * static_cast<double>(side));
            CHECK_NEAR(transform.at(away).slope, slope, 1e-3 * static_cast<double>(side));
        }
    }
}

TEST(taper_transform_reaches_as_far_as_it_is_high) {
    const TaperTransform transform(taper(256));
    CHECK(transform.reach(1e9f) == 2);
    CHECK(transform.reach(1.0f) > transform.reach(10.0f));
    CHECK(transform.reach(0) == TaperTransform::farthest);
}

TEST(a_wave_between_frequencies_is_subtracted) {
    CHECK(left_of({128, 96}, {{12.37, 9.81, 0.4, 5}}) < 1e-3);
    CHECK(left_of({65, 96}, {{7.5, -11.5, 2.0, 5}}) < 1e-3);
}

TEST(a_wave_near_the_edge_of_what_is_held_is_subtracted) {
    CHECK(left_of({128, 96}, {{0.3, 14.2, 1.0, 5}}) < 1e-3);
    CHECK(left_of({128, 96}, {{-0.4, 14.2, 1.0, 5}}) < 1e-3);
    CHECK(left_of({128, 96}, {{63.8, -9.4, 1.0, 5}}) < 1e-3);
}

TEST(waves_in_each_others_feet_are_subtracted) {
    CHECK(left_of({128, 128}, {{12.4, 9.8, 0.4, 5}, {20.1, 9.3, 1.4, 4}, {12.7, -18.2, 2, 3}}) <
          5e-3);
}

TEST(what_lies_under_a_wave_is_left) {
    const Fft2d fft({128, 128});
    const SpectrumLayout& layout = fft.layout();
    const std::vector<float> faint = spectrum_of(fft, {{14.0, 20.0, 0, 0.02}});
    std::vector<float> both = spectrum_of(fft, {{9.6, 20.3, 1, 5}, {14.0, 20.0, 0, 0.02}});
    subtract_waves(layout, TaperTransform(taper(128)), TaperTransform(taper(128)), {10 * 128 + 20},
                   1e-3f, both.data());
    std::vector<float> off(both.size());
    for (std::size_t i = 0; i < off.size(); ++i) off[i] = both[i] - faint[i];
    CHECK(highest(layout, off) < 0.4 * highest(layout, faint));
}
