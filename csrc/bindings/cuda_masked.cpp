// Correlation of masked images on a GPU.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/device_tensor.hpp"
#include "cuda/open_module.hpp"
#include "cuda/run_masked.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using OptionalArray = std::optional<py::array>;

class PyMasked {
  public:
    PyMasked(const py::array& reference, const OptionalArray& mask,
             std::pair<std::size_t, std::size_t> max_shift, double min_overlap,
             std::size_t working_bytes, int device, std::size_t stream, unsigned threads) {
        const AnyView view = any_view(reference);
        std::optional<Mask> valid;
        if (mask) valid = view_mask(*mask);
        const cuda::OnDevice on{cuda::module_for(device), device, stream_of(stream)};
        const py::gil_scoped_release release;
        run_.emplace(on, view, valid ? &*valid : nullptr,
                     ncc::Settings{max_shift.first, max_shift.second, min_overlap}, working_bytes,
                     threads);
    }

    // A mask for each frame, one for all, or none.
    py::array_t<float> correlate(const py::array& images, const OptionalArray& masks,
                                 std::size_t stream) const {
        const std::vector<py::array> frames = frames_of(images);
        std::vector<py::array> mask_frames;
        if (masks) mask_frames = frames_of(*masks);
        std::vector<AnyView> views;
        std::vector<Mask> valid;
        for (const py::array& frame : frames) views.push_back(any_view(frame));
        for (std::size_t i = 0; masks && i < frames.size(); ++i) {
            valid.push_back(view_mask(mask_frames[mask_frames.size() == 1 ? 0 : i]));
        }
        const Shape surface = run_->surface_shape();
        std::vector<std::size_t> shape{surface.rows, surface.cols};
        if (images.ndim() == 3) shape.insert(shape.begin(), frames.size());
        py::array_t<float> surfaces(shape);
        float* const out = surfaces.mutable_data();
        const py::gil_scoped_release release;
        run_->correlate(views, valid, out, stream_of(stream));
        return surfaces;
    }

    std::size_t bytes() const { return run_->bytes(); }

  private:
    std::optional<cuda::MaskedRun> run_;
};

}  // namespace

void bind_cuda_masked(py::module_& m) {
    using namespace py::literals;
    py::class_<PyMasked>(m, "DeviceMaskedCorrelator", "A reference with a mask on a GPU.")
        .def(py::init<const py::array&, const OptionalArray&, std::pair<std::size_t, std::size_t>,
                      double, std::size_t, int, std::size_t, unsigned>(),
             "reference"_a, "mask"_a, "max_shift"_a, "min_overlap"_a, "working_bytes"_a, "device"_a,
             "stream"_a = 0, "threads"_a = 0)
        .def("correlate", &PyMasked::correlate, "frames"_a, "masks"_a, "stream"_a = 0)
        .def_property_readonly("bytes", &PyMasked::bytes);
}

}  // namespace stemzoo
