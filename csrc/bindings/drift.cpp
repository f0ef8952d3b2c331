// The pair estimator and what it keeps of a frame.
#include "bindings/drift.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "drift/estimator.hpp"
#include "drift/missing.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using drift::Estimator;
using drift::FramePointer;
using drift::PreparedFrame;
using Sides = std::pair<std::size_t, std::size_t>;

Shape shape_from(const Sides& sides) { return {sides.first, sides.second}; }

py::array_t<bool> unset(const drift::Flags& flags, Shape shape) {
    py::array_t<bool> array({shape.rows, shape.cols});
    std::transform(flags.begin(), flags.end(), array.mutable_data(),
                   [](auto flag) { return flag == 0; });
    return array;
}

drift::Flags flags_from(const std::optional<py::array_t<std::uint8_t, py::array::c_style>>& given) {
    if (!given) return {};
    return {given->data(), given->data() + given->size()};
}

py::object bytes_of(const drift::Flags& flags) {
    if (flags.empty()) return py::none();
    return py::array_t<std::uint8_t>(static_cast<py::ssize_t>(flags.size()), flags.data());
}

// The frame's own memory, read-only.
py::array_t<float> pixels(const FramePointer& frame) {
    const py::capsule owner(new FramePointer(frame),
                            [](void* held) { delete static_cast<FramePointer*>(held); });
    const Shape shape = frame->shape();
    py::array_t<float> array({shape.rows, shape.cols}, frame->clean().pixels.data(), owner);
    array.attr("flags").attr("writeable") = false;
    return array;
}

// A Python function: [1, 3, rows, columns] to [1, maps, rows, columns]. It is called under the
// interpreter's lock, which is released where its result is no longer needed, too.
drift::Network network_from(const py::object& function) {
    if (function.is_none()) return {};
    const auto held = std::shared_ptr<py::object>(new py::object(function), [](py::object* object) {
        const py::gil_scoped_acquire acquire;
        delete object;
    });
    return [held](const float* look, Shape shape) -> drift::Maps {
        const py::gil_scoped_acquire acquire;
        const py::capsule borrowed(look, [](void*) {});
        const py::array_t<float> given({std::size_t(1), std::size_t(3), shape.rows, shape.cols},
                                       look, borrowed);
        using Contiguous = py::array_t<float, py::array::c_style | py::array::forcecast>;
        const auto made = Contiguous::ensure((*held)(given));
        if (!made || made.ndim() != 4 || made.shape(0) != 1) {
            throw std::invalid_argument("the network made no [1, maps, rows, columns] of a look");
        }
        const auto side = [&](int axis) { return static_cast<std::size_t>(made.shape(axis)); };
        const auto keep = std::shared_ptr<py::array>(new py::array(made), [](py::array* array) {
            const py::gil_scoped_acquire acquire_again;
            delete array;
        });
        return {made.data(), side(1), {side(2), side(3)}, keep};
    };
}

std::shared_ptr<Estimator> make(const Sides& shape, const Sides& reach, const py::object& network,
                                unsigned threads) {
    return std::make_shared<Estimator>(shape_from(shape), shape_from(reach), network_from(network),
                                       threads);
}

FramePointer prepare(const Estimator& estimator, const py::array& image,
                     const std::optional<py::array>& masked, const std::string& name) {
    const MaskedImage given(image, masked);
    const py::gil_scoped_release release;
    return estimator.prepare(given.pixels, given.mask(), name);
}

// Both frames of a pair in one call.
py::tuple compare_images(const Estimator& estimator, const py::array& reference,
                         const std::optional<py::array>& reference_masked, const py::array& moving,
                         const std::optional<py::array>& moving_masked) {
    const MaskedImage still(reference, reference_masked), moved(moving, moving_masked);
    drift::Drift found;
    {
        const py::gil_scoped_release release;
        const FramePointer a = estimator.prepare(still.pixels, still.mask(), "reference"),
                           b = estimator.prepare(moved.pixels, moved.mask(), "moving");
        found = estimator.compare(*a, *b);
    }
    return as_tuple(found);
}

py::tuple compare_stack(const Estimator& estimator, const PreparedFrame& reference,
                        const py::array& stack, const std::string& name) {
    if (stack.ndim() != 3) throw std::invalid_argument(name + " is no stack of frames");
    std::vector<py::array> frames;
    std::vector<AnyView> views;
    for (py::ssize_t i = 0; i < stack.shape(0); ++i) {
        frames.push_back(stack[py::int_(i)].cast<py::array>());
        views.push_back(any_view(frames.back()));
    }
    std::vector<drift::Drift> found;
    {
        const py::gil_scoped_release release;
        found = estimator.compare_all(reference, views, name);
    }
    return as_tuples(found);
}

using Expected = std::optional<std::pair<drift::Vector, drift::Vector>>;

py::tuple compare(const Estimator& estimator, const PreparedFrame& reference,
                  const PreparedFrame& moving, bool refined, const Expected& expected) {
    drift::Drift found;
    {
        const py::gil_scoped_release release;
        std::optional<drift::Expectation> there;
        if (expected) there = drift::Expectation{expected->first, expected->second};
        found = refined ? estimator.compare(reference, moving, there ? &*there : nullptr)
                        : estimator.compare_coarsely(reference, moving);
    }
    return as_tuple(found);
}

py::object confirm(const Estimator& estimator, const PreparedFrame& reference,
                   const PreparedFrame& moving, const drift::Vector& shift,
                   const drift::Vector& sigma) {
    std::optional<drift::Drift> found;
    {
        const py::gil_scoped_release release;
        found = estimator.confirm(reference, moving, {shift, sigma});
    }
    return found ? py::object(as_tuple(*found)) : py::none();
}

// Which pixels are masked or belong to a border of NaN; None where all are there.
py::object missing(const py::array& image, const std::optional<py::array>& masked,
                   const std::string& name) {
    const MaskedImage given(image, masked);
    drift::Flags flags;
    {
        const py::gil_scoped_release release;
        flags =
            drift::missing_pixels(given.pixels, given.mask(), drift::pixel_sum(given.pixels), name);
    }
    if (flags.empty()) return py::none();
    const Shape shape = shape_of(given.pixels);
    py::array_t<bool> array({shape.rows, shape.cols});
    std::transform(flags.begin(), flags.end(), array.mutable_data(),
                   [](auto flag) { return flag != 0; });
    return array;
}

py::tuple state(const PreparedFrame& frame) {
    const drift::CleanFrame& clean = frame.clean();
    const Shape shape = frame.shape();
    return py::make_tuple(py::array_t<float>({shape.rows, shape.cols}, clean.pixels.data()),
                          bytes_of(clean.invalid), bytes_of(clean.missing));
}

// What is computed of the pixels is computed again, and comes out the same.
FramePointer from_state(const py::tuple& given) {
    using Bytes = std::optional<py::array_t<std::uint8_t, py::array::c_style>>;
    const auto from = given[0].cast<py::array_t<float, py::array::c_style>>();
    drift::CleanFrame clean;
    clean.shape = {static_cast<std::size_t>(from.shape(0)),
                   static_cast<std::size_t>(from.shape(1))};
    clean.pixels = Scratch<float>(clean.shape.size());
    std::copy_n(from.data(), clean.shape.size(), clean.pixels.data());
    clean.invalid = flags_from(given[1].cast<Bytes>());
    clean.missing = flags_from(given[2].cast<Bytes>());
    clean.measure(drift::Survey(clean.view()));
    return std::make_shared<const PreparedFrame>(std::move(clean), 1u);
}

}  // namespace

py::tuple as_tuple(const drift::Drift& found) {
    py::tuple candidates(found.candidates.size());
    for (std::size_t i = 0; i < found.candidates.size(); ++i) {
        const drift::Candidate& each = found.candidates[i];
        candidates[i] = py::make_tuple(each.shift[0], each.shift[1], each.probability);
    }
    return py::make_tuple(found.shift[0], found.shift[1],
                          py::make_tuple(found.sigma[0], found.sigma[1]), found.ambiguous(),
                          found.score, candidates, drift::text(found.reason));
}

py::tuple as_tuples(const std::vector<drift::Drift>& found) {
    py::tuple told(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) told[i] = as_tuple(found[i]);
    return told;
}

void bind_drift(py::module_& m) {
    py::register_exception_translator([](std::exception_ptr thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const drift::NotFinite& error) {
            const std::string text = error.what(), name = text.substr(0, text.find(' '));
            const std::string advice = text + ": numpy.ma.masked_invalid(" + name + ")";
            PyErr_SetString(PyExc_ValueError, advice.c_str());
        }
    });
    py::class_<PreparedFrame, std::shared_ptr<PreparedFrame>>(
        m, "PreparedFrame", "All that is known of one frame before it is compared with another.")
        .def_property_readonly(
            "shape",
            [](const PreparedFrame& f) { return py::make_tuple(f.shape().rows, f.shape().cols); })
        .def_property_readonly("pixels",
                               [](const std::shared_ptr<PreparedFrame>& f) { return pixels(f); })
        .def_property_readonly("valid",
                               [](const PreparedFrame& f) -> py::object {
                                   if (f.clean().invalid.empty()) return py::none();
                                   return unset(f.clean().invalid, f.shape());
                               })
        .def_property_readonly("counts",
                               [](const PreparedFrame& f) {
                                   return std::const_pointer_cast<drift::Frame>(f.shared_counts());
                               })
        .def("has_features", &PreparedFrame::has_evidence, py::arg("stride"))
        .def(py::pickle(&state, [](const py::tuple& given) {
            return std::const_pointer_cast<PreparedFrame>(from_state(given));
        }));
    py::class_<Estimator, std::shared_ptr<Estimator>>(m, "DriftEstimator",
                                                      "Drifts between frames of one shape.")
        .def(py::init(&make), py::arg("shape"), py::arg("reach"), py::arg("network") = py::none(),
             py::arg("threads") = 0)
        .def(
            "prepare",
            [](const Estimator& e, const py::array& image, const std::optional<py::array>& masked,
               const std::string& name) {
                return std::const_pointer_cast<PreparedFrame>(prepare(e, image, masked, name));
            },
            py::arg("image"), py::arg("masked"), py::arg("name"))
        .def("compare_images", &compare_images, py::arg("reference"), py::arg("reference_masked"),
             py::arg("moving"), py::arg("moving_masked"))
        .def("compare", &compare, py::arg("reference"), py::arg("moving"), py::arg("refined"),
             py::arg("expected") = py::none())
        .def("compare_stack", &compare_stack, py::arg("reference"), py::arg("stack"),
             py::arg("name"))
        .def("confirm", &confirm, py::arg("reference"), py::arg("moving"), py::arg("shift"),
             py::arg("sigma"));
    py::dict reasons;
    using drift::Reason;
    reasons["nothing"] = drift::text(Reason::nothing);
    reasons["chance"] = drift::text(Reason::chance);
    reasons["limit"] = drift::text(Reason::limit);
    reasons["others"] = drift::text(Reason::others);
    reasons["broad"] = drift::text(Reason::broad);
    reasons["no peak"] = drift::text(Reason::no_peak);
    m.attr("drift_reasons") = reasons;
    m.def("missing_pixels", &missing, py::arg("image"), py::arg("masked"), py::arg("name"),
          "Which pixels are masked or belong to a border of NaN; None where all are there.");
}

}  // namespace stemzoo
