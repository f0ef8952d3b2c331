// The survey of a frame: each step against its definition, and the words that come of it.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "ncc_reference.hpp"
#include "spectrum/blur.hpp"
#include "spectrum/power_spectrum.hpp"
#include "survey/quantile.hpp"
#include "survey/suitability.hpp"
#include "survey/survey.hpp"

using stemzoo::Scratch;
using stemzoo::Shape;
namespace spectrum = stemzoo::spectrum;
namespace survey = stemzoo::survey;

namespace {

using Image = reference::Image<float>;
using Properties = std::map<std::string, std::string>;

const double pi = std::acos(-1.0);

// Columns `apart` px from each other along both axes, `peak` electrons at the brightest pixel.
Image crystal(Shape shape, double apart, double peak) {
    Image image(shape);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = std::cos(pi * static_cast<double>(r) / apart),
                         x = std::cos(pi * static_cast<double>(c) / apart);
            image.at(r, c) = static_cast<float>(peak * (0.1 + 0.9 * std::pow(y * y * x * x, 2)));
        }
    }
    return image;
}

Image counted(Image image, unsigned seed) {
    std::mt19937 random(seed);
    for (float& pixel : image.pixels) {
        pixel = static_cast<float>(std::poisson_distribution<int>(pixel)(random));
    }
    return image;
}

survey::Survey survey_of(const Image& raw, const Image& clean, unsigned threads = 1) {
    return survey::survey(raw.view().data, clean.view().data, raw.shape, threads);
}

}  // namespace

TEST(quantiles_lie_between_values) {
    std::vector<float> values{4, 1, 3, 2};
    CHECK_NEAR(survey::median(values), 2.5, 0);
    CHECK_NEAR(survey::quantile(values, 0.9), 3.7, 1e-12);
    CHECK_NEAR(survey::quantile(values, 1), 4, 0);
    std::vector<double> one{7}, nothing;
    CHECK_NEAR(survey::quantile(one, 0.3), 7, 0);
    CHECK(std::isnan(survey::median(nothing)));
}

TEST(the_power_spectrum_is_that_of_the_definition) {
    for (const Shape shape : {Shape{8, 10}, Shape{9, 7}, Shape{1, 6}}) {
        const Image image = reference::noise<float>(shape, 3);
        const spectrum::HalfPlane half = spectrum::power_spectrum(image.view().data, shape, 1);
        CHECK(half.shape == (Shape{shape.rows, shape.cols / 2 + 1}));
        for (std::size_t v = 0; v < half.shape.rows; ++v) {
            for (std::size_t u = 0; u < half.shape.cols; ++u) {
                double re = 0, im = 0;
                for (std::size_t r = 0; r < shape.rows; ++r) {
                    for (std::size_t c = 0; c < shape.cols; ++c) {
                        const auto window = [](std::size_t at, std::size_t side) {
                            return 0.5 - 0.5 * std::cos(2 * pi * static_cast<double>(at + 1) /
                                                        static_cast<double>(side + 1));
                        };
                        const double value = static_cast<double>(image.view().at(r, c)) *
                                             window(r, shape.rows) * window(c, shape.cols);
                        const double turn =
                            2 * pi *
                            (spectrum::frequency(v, shape.rows) * static_cast<double>(r) +
                             spectrum::frequency(u, shape.cols) * static_cast<double>(c));
                        re += value * std::cos(turn);
                        im -= value * std::sin(turn);
                    }
                }
                CHECK_NEAR(half.row(v)[u], re * re + im * im, 1e-4);
            }
        }
    }
}

TEST(a_blurred_point_is_a_gaussian) {
    const Shape shape{40, 51};
    Image image(shape);
    image.at(20, 25) = 1;
    const double sigma = 1.5;
    const Scratch<float> blurred = spectrum::blurred(image.view().data, shape, sigma, 1);
    for (std::size_t r = 0; r < shape.rows; ++r) {
        for (std::size_t c = 0; c < shape.cols; ++c) {
            const double y = static_cast<double>(r) - 20, x = static_cast<double>(c) - 25;
            const double wanted =
                std::exp(-(y * y + x * x) / (2 * sigma * sigma)) / (2 * pi * sigma * sigma);
            CHECK_NEAR(blurred[r * shape.cols + c], wanted, 1e-5);
        }
    }
}

TEST(a_flat_picture_stays_flat) {
    const Shape shape{33, 70};
    Image image(shape);
    std::fill(image.pixels.begin(), image.pixels.end(), 12345.678f);
    const Scratch<float> blurred = spectrum::blurred(image.view().data, shape, 2, 1);
    CHECK(std::equal(image.pixels.begin(), image.pixels.end(), blurred.data()));
}

TEST(a_crystal_is_surveyed) {
    for (const Shape shape : {Shape{192, 192}, Shape{131, 260}}) {
        const Image clean = crystal(shape, 12, 30);
        const survey::Survey found = survey_of(counted(clean, 1), clean);
        CHECK(found.atoms);
        CHECK(found.noise.white);
        CHECK_NEAR(found.spacing, 12, 0.1);
        CHECK_NEAR(found.dose, 30, 5);
        CHECK_NEAR(found.noise.gain, 1, 0.15);
        CHECK_NEAR(found.noise.spectrum.share, 1, 0.05);
    }
}

TEST(threads_do_not_change_a_survey) {
    const Image clean = crystal({600, 900}, 12, 5), raw = counted(clean, 2);
    const survey::Survey one = survey_of(raw, clean, 1), all = survey_of(raw, clean, 4);
    CHECK(one.dose == all.dose);
    CHECK(one.spacing == all.spacing);
    CHECK(one.noise.spectrum.power == all.noise.spectrum.power);
}

TEST(a_picture_without_noise_or_contrast_has_no_dose) {
    for (const float value : {0.0f, 7.0f}) {
        Image flat({80, 90});
        std::fill(flat.pixels.begin(), flat.pixels.end(), value);
        const survey::Survey found = survey_of(flat, flat);
        CHECK(std::isnan(found.dose));
        CHECK(std::isnan(found.spacing));
        CHECK(!found.atoms);
    }
}

TEST(ranges_are_read_as_people_write_them) {
    const auto range = survey::range_in("0.5 to 100,000 electrons per pixel");
    CHECK(range && range->low == 0.5 && range->high == 1e5);
    const auto later = survey::range_in("Model 3: columns .25  to\t240. Not more.");
    CHECK(later && later->low == 0.25 && later->high == 240);
    for (const char* const none : {"", "a microscope of our own", "5 to", "to 7", "5 too 7", "5to7",
                                   "9 to 2 px", "1,,, to 2..3", "2..3 to 4", "5, to 7"}) {
        CHECK(!survey::range_in(none));
    }
}

TEST(pictures_out_of_range_are_warned_of) {
    const survey::Ranges trained(Properties{{"dose", "0.5 to 1,000"}, {"spacing", "4 to 60 px"}});
    survey::Survey found;
    found.atoms = true;
    found.independent_dose = 0.26;
    found.spacing = 8;
    const auto warnings = [&] { return survey::range_warnings("m", trained, found); };
    CHECK(warnings().empty());
    found.independent_dose = 0.123;
    CHECK(warnings().size() == 1);
    CHECK(warnings()[0].text ==
          "the dose is about 0.12 electrons per pixel at the brightest columns; m was trained from "
          "0.5 on: take a slower scan, average frames, or bin pixels");
    CHECK(warnings()[0].bin == 2);
    found.spacing = 7.9;  // binned by two, columns would be too close
    CHECK(warnings()[0].bin == 1);
    found.spacing = 3.1;
    CHECK(warnings()[1].text ==
          "columns are about 3.1 px apart; m was trained from 4 px on: record smaller pixels");
    found.independent_dose = std::nan("");
    found.spacing = 130;
    CHECK(warnings()[0].text ==
          "columns are about 130 px apart; m was trained up to 60 px: bin pixels");
    CHECK(warnings()[0].bin == 3);
    found.atoms = false;
    CHECK(
        warnings()[0].text ==
        "no ordered columns were found: it looks like a picture of low magnification, of a "
        "surface, or without atoms; m was trained for columns 4 to 60 px apart, and may draw some "
        "that are not there");
    CHECK(survey::range_warnings("m", survey::Ranges(Properties{}), found).empty());
}

TEST(the_middle_of_a_large_frame_is_measured) {
    CHECK(!survey::measured_part({63, 400}));
    const auto all = survey::measured_part({64, 2048});
    CHECK(all && all->top == 0 && all->left == 0 && all->shape == (Shape{64, 2048}));
    const auto middle = survey::measured_part({2049, 4096});
    CHECK(middle && middle->top == 0 && middle->left == 1024 &&
          middle->shape == (Shape{2048, 2048}));
}
