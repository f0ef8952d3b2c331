#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "bindings/arrays.hpp"
#include "spectrum/blur.hpp"
#include "spectrum/noise_colour.hpp"
#include "spectrum/power_spectrum.hpp"
#include "spectrum/whiten.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using spectrum::NoiseColour;

NoiseColour make_colour(const FloatImage& image, unsigned threads) {
    const Shape shape = shape_2d(image);
    const float* const pixels = image.data();
    const py::gil_scoped_release release;
    return NoiseColour(pixels, shape, threads);
}

py::array_t<double> log_power(const NoiseColour& colour) {
    const auto cells = static_cast<py::ssize_t>(NoiseColour::cells);
    py::array_t<double> found(std::vector<py::ssize_t>{cells, cells});
    std::copy(colour.log_power().begin(), colour.log_power().end(), found.mutable_data());
    return found;
}

double in_common(const NoiseColour& one, const NoiseColour& other) {
    if (one.shape() != other.shape()) {
        throw std::invalid_argument("the colours are of frames of " + one.shape().text() + " and " +
                                    other.shape().text() + " pixels; expected one shape");
    }
    const py::gil_scoped_release release;
    return one.in_common(other);
}

py::array_t<float> whitened(const NoiseColour& colour, const FloatImage& image, unsigned threads) {
    const Shape shape = shape_2d(image);
    if (shape != colour.shape()) {
        throw std::invalid_argument("image is " + shape.text() + " pixels; expected " +
                                    colour.shape().text() + ", of which the noise colour is");
    }
    py::array_t<float> result = new_float32({shape.rows, shape.cols});
    const float* const pixels = image.data();
    float* const out = result.mutable_data();
    {
        const py::gil_scoped_release release;
        const Scratch<float> white = spectrum::whitened(pixels, colour, colour.highest(), threads);
        std::copy_n(white.data(), shape.size(), out);
    }
    return result;
}

py::array_t<float> power_spectrum(const FloatImage& image, unsigned threads) {
    const Shape shape = shape_2d(image);
    const float* const pixels = image.data();
    py::array_t<float> result = new_float32({shape.rows, shape.cols / 2 + 1});
    float* const out = result.mutable_data();
    {
        const py::gil_scoped_release release;
        const spectrum::HalfPlane half = spectrum::power_spectrum(pixels, shape, threads);
        std::copy_n(half.power.data(), half.shape.size(), out);
    }
    return result;
}

py::array_t<float> blurred(const FloatImage& image, double sigma, unsigned threads) {
    const Shape shape = shape_2d(image);
    const float* const pixels = image.data();
    py::array_t<float> result = new_float32({shape.rows, shape.cols});
    float* const out = result.mutable_data();
    {
        const py::gil_scoped_release release;
        const Scratch<float> soft = spectrum::blurred(pixels, shape, sigma, threads);
        std::copy_n(soft.data(), shape.size(), out);
    }
    return result;
}

}  // namespace

void bind_spectrum(py::module_& m) {
    m.def("power_spectrum", &power_spectrum, py::arg("image"), py::arg("threads") = 0);
    m.def("blurred", &blurred, py::arg("image"), py::arg("sigma"), py::arg("threads") = 0);
    py::class_<NoiseColour>(m, "NoiseColour", "The colour of a frame's noise.")
        .def(py::init(&make_colour), py::arg("image"), py::arg("threads") = 0)
        .def_property_readonly("contrast",
                               [](const NoiseColour& c) {
                                   return py::make_tuple(c.contrast().y, c.contrast().x,
                                                         c.contrast().limit);
                               })
        .def_property_readonly("coloured",
                               [](const NoiseColour& c) { return c.contrast().coloured(); })
        .def_property_readonly_static("edges",
                                      [](const py::object&) {
                                          return std::vector<double>(NoiseColour::edges.begin(),
                                                                     NoiseColour::edges.end());
                                      })
        .def_property_readonly("log_power", &log_power)
        .def_property_readonly("smoothness", &NoiseColour::smoothness)
        .def("in_common", &in_common, py::arg("other"))
        .def("whitened", &whitened, py::arg("image"), py::arg("threads") = 0);
}

}  // namespace stemzoo
