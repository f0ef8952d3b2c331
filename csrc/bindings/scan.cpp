#include <pybind11/pybind11.h>

#include <cmath>
#include <cstring>

#include "bindings/arrays.hpp"
#include "scan/find_rows.hpp"
#include "scan/resample_rows.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Pixels = py::array_t<float, py::array::c_style>;
using Displacements = py::array_t<double, py::array::c_style>;
using Pairs = std::vector<scan::Pair>;

Shape shape_of(const Pixels& image) {
    require_two_dimensions(image);
    return {static_cast<std::size_t>(image.shape(0)), static_cast<std::size_t>(image.shape(1))};
}

py::array_t<double> as_array(const Pairs& pairs) {
    py::array_t<double> result({static_cast<py::ssize_t>(pairs.size()), py::ssize_t{2}});
    double* to = result.mutable_data();
    for (const scan::Pair& pair : pairs) {
        *to++ = pair.y;
        *to++ = pair.x;
    }
    return result;
}

std::size_t whole(py::ssize_t reach) {
    if (reach >= 0) return static_cast<std::size_t>(reach);
    throw std::invalid_argument("reach is " + std::to_string(reach) + "; expected 0 or more");
}

py::tuple find_rows(const Pixels& image, const Pixels& pilot,
                    std::pair<py::ssize_t, py::ssize_t> reach, double slow, unsigned threads) {
    const Shape shape = shape_of(image), other = shape_of(pilot);
    if (shape != other) {
        throw std::invalid_argument("image is " + shape.text() + " and pilot " + other.text() +
                                    "; expected equal shapes");
    }
    const scan::RowOptions options{{whole(reach.first), whole(reach.second)}, slow, threads};
    const float *const pixels = image.data(), *const clean = pilot.data();
    scan::Rows rows;
    {
        const py::gil_scoped_release release;
        rows = scan::find_rows(pixels, clean, shape, options);
    }
    return py::make_tuple(as_array(rows.displacement), as_array(rows.sigma),
                          py::make_tuple(rows.evidence.y, rows.evidence.x));
}

py::array_t<float> resample_rows(const Pixels& image, const Displacements& displacements,
                                 unsigned threads) {
    const Shape shape = shape_of(image);
    if (displacements.ndim() != 2 || displacements.shape(1) != 2) {
        throw std::invalid_argument("expected displacements (dy, dx) of " +
                                    std::to_string(shape.rows) + " rows");
    }
    Pairs pairs;
    for (py::ssize_t y = 0; y < displacements.shape(0); ++y) {
        pairs.push_back({displacements.at(y, 0), displacements.at(y, 1)});
    }
    py::array_t<float> result = new_float32({shape.rows, shape.cols});
    const float* const from = image.data();
    float* const to = result.mutable_data();
    const py::gil_scoped_release release;
    scan::resample_rows(from, shape, pairs, to, threads);
    return result;
}

}  // namespace

void bind_scan(py::module_& m) {
    m.def("find_rows", &find_rows, py::arg("image"), py::arg("pilot"), py::arg("reach"),
          py::arg("slow"), py::arg("threads") = 0,
          "(displacements, sigma, evidence) of the rows; csrc/scan/find_rows.hpp.");
    m.def("resample_rows", &resample_rows, py::arg("image"), py::arg("displacements"),
          py::arg("threads") = 0, "The image with its rows where the beam was.");
}

}  // namespace stemzoo
