#include "survey/survey.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "survey/bragg_peaks.hpp"
#include "survey/close_spacing.hpp"
#include "survey/columns.hpp"
#include "survey/noise_model.hpp"
#include "survey/repeat.hpp"
#include "survey/suitability.hpp"

namespace py = pybind11;
using namespace pybind11::literals;

namespace stemzoo {
namespace {

using survey::BraggPeak;
using survey::NoiseModel;
using survey::NoiseSpectrum;
using FloatArray = py::array_t<double, py::array::c_style>;
using Properties = std::map<std::string, std::string>;

Shape common_shape(const FloatImage& raw, const FloatImage& clean) {
    const Shape shape = shape_2d(raw);
    if (shape_2d(clean) == shape && shape.size() > 0) return shape;
    throw std::invalid_argument("raw is " + shape.text() + " pixels and clean " +
                                shape_2d(clean).text() + "; expected one shape");
}

// The fields of stemzoo.inference.noise.NoiseModel.
py::dict noise_fields(const NoiseModel& noise) {
    const auto side = static_cast<py::ssize_t>(NoiseSpectrum::grid);
    py::array_t<double> spectrum(std::vector<py::ssize_t>{side, side});
    std::copy(noise.spectrum.power.begin(), noise.spectrum.power.end(), spectrum.mutable_data());
    return py::dict("gain"_a = noise.gain, "offset"_a = noise.offset, "readout"_a = noise.readout,
                    "level"_a = noise.level, "slope"_a = noise.slope, "spectrum"_a = spectrum,
                    "white"_a = noise.white, "share"_a = noise.spectrum.share);
}

py::dict measure_noise_of(const FloatImage& raw, const FloatImage& clean, unsigned threads) {
    const Shape shape = common_shape(raw, clean);
    const float *const frame = raw.data(), *const estimate = clean.data();
    NoiseModel noise;
    {
        const py::gil_scoped_release release;
        noise = survey::measure_noise(frame, estimate, shape, threads);
    }
    return noise_fields(noise);
}

// The fields of stemzoo.inference.survey.Survey.
py::dict survey_of(const FloatImage& raw, const FloatImage& clean, unsigned threads) {
    const Shape shape = common_shape(raw, clean);
    const float *const frame = raw.data(), *const estimate = clean.data();
    survey::Survey found;
    {
        const py::gil_scoped_release release;
        found = survey::survey(frame, estimate, shape, threads);
    }
    return py::dict("noise"_a = noise_fields(found.noise), "dose"_a = found.dose,
                    "independent_dose"_a = found.independent_dose, "spacing"_a = found.spacing,
                    "columns"_a = found.columns, "peaks"_a = found.peaks, "atoms"_a = found.atoms);
}

py::tuple bragg_peaks_of(const FloatImage& image, unsigned threads) {
    const Shape shape = shape_2d(image);
    const float* const pixels = image.data();
    std::vector<BraggPeak> found;
    {
        const py::gil_scoped_release release;
        found = survey::bragg_peaks(pixels, shape, threads);
    }
    const auto count = static_cast<py::ssize_t>(found.size());
    py::array_t<double> places(std::vector<py::ssize_t>{count, 2}), powers(count);
    for (py::ssize_t i = 0; i < count; ++i) {
        const BraggPeak& peak = found[static_cast<std::size_t>(i)];
        places.mutable_at(i, 0) = peak.up;
        places.mutable_at(i, 1) = peak.across;
        powers.mutable_at(i) = peak.power;
    }
    return py::make_tuple(places, powers);
}

double close_spacing_of(const FloatArray& places, const FloatArray& powers) {
    if (places.ndim() != 2 || places.shape(1) != 2 || powers.ndim() != 1 ||
        powers.shape(0) != places.shape(0)) {
        throw std::invalid_argument("expected places (n, 2) and powers (n,), as bragg_peaks gives");
    }
    std::vector<BraggPeak> peaks;
    for (py::ssize_t i = 0; i < powers.shape(0); ++i) {
        peaks.push_back({places.at(i, 0), places.at(i, 1), powers.at(i)});
    }
    return survey::close_spacing(peaks);
}

std::pair<double, double> nearest_repeat_of(const FloatImage& image, unsigned threads) {
    const Shape shape = shape_2d(image);
    const float* const pixels = image.data();
    const py::gil_scoped_release release;
    const survey::Repeat found = survey::nearest_repeat(pixels, shape, threads);
    return {found.correlation, found.distance};
}

using Bounds = std::optional<std::pair<double, double>>;

Bounds bounds(const std::optional<survey::Range>& range) {
    return range ? Bounds({range->low, range->high}) : std::nullopt;
}

std::pair<Bounds, Bounds> trained_ranges(const Properties& trained_for) {
    const survey::Ranges ranges(trained_for);
    return {bounds(ranges.dose), bounds(ranges.spacing)};
}

std::vector<std::pair<std::string, unsigned>> range_warnings_of(const std::string& model,
                                                                const Properties& trained_for,
                                                                double independent_dose,
                                                                double spacing, bool atoms) {
    survey::Survey found;
    found.independent_dose = independent_dose;
    found.spacing = spacing;
    found.atoms = atoms;
    std::vector<std::pair<std::string, unsigned>> told;
    for (const survey::Warning& each :
         survey::range_warnings(model, survey::Ranges(trained_for), found)) {
        told.push_back({each.text, each.bin});
    }
    return told;
}

py::object measured_part_of(std::size_t rows, std::size_t columns) {
    const auto part = survey::measured_part({rows, columns});
    if (!part) return py::none();
    return py::make_tuple(py::slice(static_cast<py::ssize_t>(part->top),
                                    static_cast<py::ssize_t>(part->top + part->shape.rows), 1),
                          py::slice(static_cast<py::ssize_t>(part->left),
                                    static_cast<py::ssize_t>(part->left + part->shape.cols), 1));
}

}  // namespace

void bind_survey(py::module_& m) {
    m.attr("NOISE_GRID") = NoiseSpectrum::grid;
    m.attr("COLUMN_BLUR") = survey::column_blur;
    m.attr("CONTRAST") = py::make_tuple(survey::dark_quantile, survey::bright_quantile);
    m.def("measure_noise", &measure_noise_of, py::arg("raw"), py::arg("clean"),
          py::arg("threads") = 0);
    m.def("survey", &survey_of, py::arg("raw"), py::arg("clean"), py::arg("threads") = 0);
    m.def("bragg_peaks", &bragg_peaks_of, py::arg("image"), py::arg("threads") = 0);
    m.def("close_spacing", &close_spacing_of, py::arg("places"), py::arg("powers"));
    m.def("nearest_repeat", &nearest_repeat_of, py::arg("image"), py::arg("threads") = 0);
    m.def("trained_ranges", &trained_ranges, py::arg("trained_for"));
    m.def("range_warnings", &range_warnings_of, py::arg("model"), py::arg("trained_for"),
          py::arg("independent_dose"), py::arg("spacing"), py::arg("atoms"));
    m.def("measured_part", &measured_part_of, py::arg("rows"), py::arg("columns"));
}

}  // namespace stemzoo
