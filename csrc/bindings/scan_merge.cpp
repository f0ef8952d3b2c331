// Scans of several directions, merged.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/drift.hpp"
#include "drift/estimator.hpp"
#include "scan/merge_scans.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using Pixels = py::array_t<float, py::array::c_style>;
using Path = py::array_t<double, py::array::c_style>;
using Pairs = std::vector<scan::Pair>;

std::vector<scan::Scan> scans_of(const std::vector<Pixels>& images,
                                 const std::vector<double>& angles) {
    if (images.size() != angles.size()) {
        throw std::invalid_argument("got " + std::to_string(images.size()) + " scans and " +
                                    std::to_string(angles.size()) +
                                    " angles; expected one of each scan");
    }
    std::vector<scan::Scan> scans;
    for (std::size_t k = 0; k < images.size(); ++k) {
        require_two_dimensions(images[k]);
        const Shape shape{static_cast<std::size_t>(images[k].shape(0)),
                          static_cast<std::size_t>(images[k].shape(1))};
        scans.push_back({images[k].data(), shape, angles[k], Pairs(shape.rows), {}, {}});
    }
    return scans;
}

py::list as_list(const std::vector<Pairs>& paths) {
    py::list result;
    for (const Pairs& path : paths) {
        py::array_t<double> array({static_cast<py::ssize_t>(path.size()), py::ssize_t{2}});
        double* to = array.mutable_data();
        for (const scan::Pair& place : path) {
            *to++ = place.y;
            *to++ = place.x;
        }
        result.append(array);
    }
    return result;
}

py::array_t<float> as_image(const std::vector<float>& values, Shape shape) {
    py::array_t<float> array = new_float32({shape.rows, shape.cols});
    std::memcpy(array.mutable_data(), values.data(), values.size() * sizeof(float));
    return array;
}

py::tuple merge_scans(const std::vector<Pixels>& images, const std::vector<double>& angles,
                      const drift::Estimator& estimator, unsigned threads) {
    const auto scans = scans_of(images, angles);
    scan::Merge merge;
    {
        const py::gil_scoped_release release;
        merge = scan::merge_scans(scans, estimator, threads);
    }
    const Shape shape = scans[0].shape;
    py::list residuals;
    for (std::size_t k = 0; k < scans.size(); ++k) {
        residuals.append(as_image(merge.residuals[k], scans[k].shape));
    }
    return py::make_tuple(as_image(merge.picture, shape), as_image(merge.coverage, shape),
                          as_list(merge.paths), as_list(merge.sigma), residuals,
                          as_tuple(merge.placing));
}

py::tuple merge_along(const std::vector<Pixels>& images, const std::vector<double>& angles,
                      const std::vector<Path>& paths, std::pair<std::size_t, std::size_t> picture,
                      unsigned threads) {
    auto scans = scans_of(images, angles);
    for (std::size_t k = 0; k < scans.size(); ++k) {
        const bool fits = k < paths.size() && paths[k].ndim() == 2 && paths[k].shape(1) == 2 &&
                          static_cast<std::size_t>(paths[k].shape(0)) == scans[k].shape.rows;
        if (!fits) {
            throw std::invalid_argument("scan " + std::to_string(k) + " has " +
                                        std::to_string(scans[k].shape.rows) +
                                        " rows; expected a path of (dy, dx) for each");
        }
        for (std::size_t y = 0; y < scans[k].shape.rows; ++y) {
            const auto row = static_cast<py::ssize_t>(y);
            scans[k].path[y] = {paths[k].at(row, 0), paths[k].at(row, 1)};
        }
    }
    const Shape shape{picture.first, picture.second};
    scan::Merge merge;
    {
        const py::gil_scoped_release release;
        merge = scan::merge_along(scans, shape, threads);
    }
    return py::make_tuple(as_image(merge.picture, shape), as_image(merge.coverage, shape));
}

}  // namespace

void bind_scan_merge(py::module_& m) {
    m.def("merge_scans", &merge_scans, py::arg("images"), py::arg("angles"), py::arg("estimator"),
          py::arg("threads") = 0,
          "(picture, coverage, paths, sigma, residuals, placing); csrc/scan/merge_scans.hpp.");
    m.def("merge_along", &merge_along, py::arg("images"), py::arg("angles"), py::arg("paths"),
          py::arg("picture"), py::arg("threads") = 0,
          "(picture, coverage) of scans along paths that are known.");
}

}  // namespace stemzoo
