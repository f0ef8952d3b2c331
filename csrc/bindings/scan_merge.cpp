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
using Sides = std::pair<std::size_t, std::size_t>;

std::vector<scan::Scan> scans_of(const std::vector<Pixels>& images,
                                 const std::vector<double>& angles,
                                 const std::vector<Path>& paths) {
    if (images.size() != angles.size() || images.size() != paths.size()) {
        throw std::invalid_argument(
            "got " + std::to_string(images.size()) + " scans, " + std::to_string(angles.size()) +
            " angles and " + std::to_string(paths.size()) + " paths; expected one of each scan");
    }
    std::vector<scan::Scan> scans;
    for (std::size_t k = 0; k < images.size(); ++k) {
        require_two_dimensions(images[k]);
        const Shape shape{static_cast<std::size_t>(images[k].shape(0)),
                          static_cast<std::size_t>(images[k].shape(1))};
        if (paths[k].ndim() != 2 || paths[k].shape(1) != 2 ||
            static_cast<std::size_t>(paths[k].shape(0)) != shape.rows) {
            throw std::invalid_argument("scan " + std::to_string(k) + " has " +
                                        std::to_string(shape.rows) +
                                        " rows; expected a path of (dy, dx) for each");
        }
        Pairs path;
        for (py::ssize_t y = 0; y < paths[k].shape(0); ++y) {
            path.push_back({paths[k].at(y, 0), paths[k].at(y, 1)});
        }
        scans.push_back({images[k].data(), shape, angles[k], std::move(path), {}, {}, {}});
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

// Pixels that Python reads, called without its lock and let go likewise.
std::shared_ptr<const float> loaded(const py::function& read, std::size_t number, Shape shape) {
    const py::gil_scoped_acquire lock;
    auto* const pixels = new Pixels(read(number));
    const auto let_go = [](const Pixels* held) {
        const py::gil_scoped_acquire again;
        delete held;
    };
    const std::shared_ptr<const Pixels> held(pixels, let_go);
    if (pixels->ndim() != 2 || static_cast<std::size_t>(pixels->shape(0)) != shape.rows ||
        static_cast<std::size_t>(pixels->shape(1)) != shape.cols) {
        throw std::invalid_argument("scan " + std::to_string(number) +
                                    " has another shape when it is read again; expected " +
                                    shape.text());
    }
    return {held, pixels->data()};
}

py::tuple merge_scans(const py::function& read, const std::vector<Sides>& shapes,
                      const std::vector<double>& angles, const drift::Estimator& estimator,
                      unsigned threads) {
    std::vector<scan::Scan> scans;
    for (std::size_t k = 0; k < shapes.size(); ++k) {
        const Shape shape{shapes[k].first, shapes[k].second};
        const auto load = [&read, k, shape] { return loaded(read, k, shape); };
        scans.push_back({nullptr, shape, angles.at(k), Pairs(shape.rows), {}, {}, load});
    }
    scan::Merge merge;
    {
        const py::gil_scoped_release release;
        merge = scan::merge_scans(scans, estimator, threads);
    }
    const Shape shape = scans[0].shape;
    return py::make_tuple(as_image(merge.picture, shape), as_image(merge.coverage, shape),
                          as_image(merge.whole, shape), as_list(merge.paths), as_list(merge.sigma),
                          as_tuple(merge.placing));
}

py::tuple merge_along(const std::vector<Pixels>& images, const std::vector<double>& angles,
                      const std::vector<Path>& paths, std::pair<std::size_t, std::size_t> picture,
                      unsigned threads) {
    const auto scans = scans_of(images, angles, paths);
    const Shape shape{picture.first, picture.second};
    scan::Merge merge;
    {
        const py::gil_scoped_release release;
        merge = scan::merge_along(scans, shape, threads);
    }
    return py::make_tuple(as_image(merge.picture, shape), as_image(merge.coverage, shape));
}

py::array_t<float> scan_residual(const Pixels& whole, const Pixels& image, double angle,
                                 const Path& path, unsigned threads) {
    require_two_dimensions(whole);
    const auto scans = scans_of({image}, {angle}, {path});
    const Shape shape{static_cast<std::size_t>(whole.shape(0)),
                      static_cast<std::size_t>(whole.shape(1))};
    const std::vector<float> picture(whole.data(), whole.data() + shape.size());
    std::vector<float> left;
    {
        const py::gil_scoped_release release;
        left = scan::residual(picture, shape, scans[0], threads);
    }
    return as_image(left, scans[0].shape);
}

}  // namespace

void bind_scan_merge(py::module_& m) {
    m.def("merge_scans", &merge_scans, py::arg("read"), py::arg("shapes"), py::arg("angles"),
          py::arg("estimator"), py::arg("threads") = 0,
          "(picture, coverage, whole, paths, sigma, placing); csrc/scan/merge_scans.hpp.");
    m.def("scan_residual", &scan_residual, py::arg("whole"), py::arg("image"), py::arg("angle"),
          py::arg("path"), py::arg("threads") = 0,
          "What a scan shows beyond the whole picture of a merge.");
    m.def("merge_along", &merge_along, py::arg("images"), py::arg("angles"), py::arg("paths"),
          py::arg("picture"), py::arg("threads") = 0,
          "(picture, coverage) of scans along paths that are known.");
}

}  // namespace stemzoo
