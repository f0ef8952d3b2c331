#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "bindings/arrays.hpp"
#include "scan/find_rows.hpp"
#include "scan/resample_rows.hpp"
#include "scan/straightening.hpp"

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

scan::Straightening straightening(const py::array& image, std::size_t passes,
                                  std::pair<py::ssize_t, py::ssize_t> reach, double slow,
                                  unsigned threads) {
    const AnyView view = any_view(image);
    const scan::Reach pixels{whole(reach.first), whole(reach.second)};
    const py::gil_scoped_release release;
    return scan::Straightening(view, {passes, {pixels, slow, threads}});
}

std::optional<py::array_t<float>> next_image(scan::Straightening& steps) {
    const float* image = nullptr;
    {
        const py::gil_scoped_release release;
        image = steps.next();
    }
    if (image == nullptr) return {};
    const Shape shape = steps.shape();
    py::array_t<float> copy = new_float32({shape.rows, shape.cols});
    std::copy(image, image + shape.size(), copy.mutable_data());
    return copy;
}

void take_pilot(scan::Straightening& steps, const py::array& pilot) {
    const AnyView view = any_view(pilot);
    const py::gil_scoped_release release;
    steps.take(view);
}

py::array_t<float> straight(const scan::Straightening& steps) {
    py::array_t<float> result = new_float32({steps.shape().rows, steps.shape().cols});
    float* const to = result.mutable_data();
    const py::gil_scoped_release release;
    steps.result(to);
    return result;
}

void bind_straightening(py::module_& m) {
    using scan::Straightening;
    m.attr("RESTORING_PASSES") = scan::restoring_passes;
    m.attr("RESTORING_REACH") = py::make_tuple(scan::restoring_reach.y, scan::restoring_reach.x);
    m.attr("AXIS_REACH") = py::make_tuple(scan::axis_reach.y, scan::axis_reach.x);
    m.attr("LEAST_SIDE") = scan::least_side;
    py::class_<Straightening>(m, "Straightening",
                              "A scan straightened pilot by pilot; csrc/scan/straightening.hpp.")
        .def(py::init(&straightening), py::arg("image"), py::kw_only(), py::arg("passes"),
             py::arg("reach"), py::arg("slow"), py::arg("threads") = 0)
        .def("next", &next_image, "The image whose pilot is wanted; None after the last.")
        .def("take", &take_pilot, py::arg("pilot"), "The clean estimate of that.")
        .def_property_readonly(
            "found",
            [](const Straightening& steps) {
                const scan::Rows& rows = steps.rows();
                return py::make_tuple(as_array(rows.displacement), as_array(rows.sigma),
                                      py::make_tuple(rows.evidence.y, rows.evidence.x));
            },
            "What find_rows gives, as it is now.")
        .def("result", &straight, "The image with its rows in place.");
}

}  // namespace

void bind_scan(py::module_& m) {
    m.def("find_rows", &find_rows, py::arg("image"), py::arg("pilot"), py::arg("reach"),
          py::arg("slow"), py::arg("threads") = 0,
          "(displacements, sigma, evidence) of the rows; csrc/scan/find_rows.hpp.");
    m.def("resample_rows", &resample_rows, py::arg("image"), py::arg("displacements"),
          py::arg("threads") = 0, "The image with its rows where the beam was.");
    bind_straightening(m);
}

}  // namespace stemzoo
