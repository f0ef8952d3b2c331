// Counts put where the beam was when they were recorded.
#include "scan/rebin.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/arrays.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Path = py::array_t<double, py::array::c_style>;
using Whole = std::pair<std::size_t, std::size_t>;

// The first number at each pixel, as a 2-D array, if the others follow it in memory.
py::array first_numbers(const py::array& cube, const char* name) {
    if (cube.ndim() != 3 || (cube.shape(2) > 1 && cube.strides(2) != cube.itemsize())) {
        throw std::invalid_argument(std::string(name) +
                                    " must have three dimensions, the last of them contiguous");
    }
    return cube[py::make_tuple(py::ellipsis(), 0)];
}

void require_fits(Whole first, py::ssize_t rows, py::ssize_t cols, Whole whole, const char* name) {
    if (first.first + static_cast<std::size_t>(rows) > whole.first ||
        first.second + static_cast<std::size_t>(cols) > whole.second) {
        throw std::invalid_argument(std::string(name) + " reach beyond what they are a part of");
    }
}

void rebin(const py::array& counts, Whole first, const Path& path, double angle, Whole shape,
           py::array_t<float> sums, Whole corner, Whole picture, unsigned threads) {
    const py::array plane = first_numbers(counts, "counts");
    py::array_t<float> sum_plane = first_numbers(sums, "sums");
    if (counts.shape(2) != sums.shape(2)) {
        throw std::invalid_argument("counts have " + std::to_string(counts.shape(2)) +
                                    " numbers at a pixel and sums " +
                                    std::to_string(sums.shape(2)) + "; expected as many");
    }
    if (path.ndim() != 2 || path.shape(1) != 2 ||
        static_cast<std::size_t>(path.shape(0)) != shape.first) {
        throw std::invalid_argument("the path has another number of rows than the scan");
    }
    require_fits(first, counts.shape(0), counts.shape(1), shape, "counts");
    require_fits(corner, sums.shape(0), sums.shape(1), picture, "sums");
    scan::Scan where{nullptr, {shape.first, shape.second}, angle, {}, {}, {}, {}};
    for (py::ssize_t y = 0; y < path.shape(0); ++y) {
        where.path.push_back({path.at(y, 0), path.at(y, 1)});
    }
    const AnyView from = any_view(plane);
    const View<float> to = view2d<float>(sum_plane);
    const auto depth = static_cast<std::size_t>(counts.shape(2));
    const py::gil_scoped_release release;
    scan::rebin(from, {first.first, first.second}, depth, where, to, {corner.first, corner.second},
                {picture.first, picture.second}, threads);
}

}  // namespace

void bind_rebin(py::module_& m) {
    m.def(
        "rebin", &rebin, py::arg("counts"), py::arg("first"), py::arg("path"), py::arg("angle"),
        py::arg("shape"), py::arg("sums").noconvert(), py::arg("corner"), py::arg("picture"),
        py::arg("threads") = 0,
        "Adds counts [rows, columns, depth] to sums [rows, columns, depth]; csrc/scan/rebin.hpp.");
}

}  // namespace stemzoo
