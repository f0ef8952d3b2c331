// Drifts of stacks on a GPU.
#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "bindings/device_tensor.hpp"
#include "bindings/drift.hpp"
#include "cuda/open_module.hpp"
#include "cuda/run_drift.hpp"

namespace py = pybind11;

namespace stemzoo {
namespace {

using drift::Estimator;
using drift::PreparedFrame;

class PyDrifts {
  public:
    PyDrifts(std::shared_ptr<Estimator> estimator, std::shared_ptr<PreparedFrame> reference,
             std::size_t working_bytes, int device, std::size_t stream)
        : estimator_(std::move(estimator)), reference_(std::move(reference)), device_(device) {
        const cuda::OnDevice on{cuda::module_for(device), device, stream_of(stream)};
        const py::gil_scoped_release release;
        run_ = std::make_unique<cuda::DriftRun>(on, *estimator_, *reference_, working_bytes);
    }

    py::tuple compare(const py::object& frames, const std::string& name, std::size_t stream) const {
        const GivenFrames given = given_frames(frames, device_);
        if (given.frames.shape != estimator_->shape()) {
            throw std::invalid_argument(name + " is " + given.frames.shape.text() +
                                        " pixels; expected " + estimator_->shape().text());
        }
        std::vector<drift::Drift> found;
        {
            const py::gil_scoped_release release;
            found = run_->compare_all(given.frames, given.on_host, name, stream_of(stream));
        }
        return as_tuples(found);
    }

    std::size_t bytes() const { return run_->bytes(); }

  private:
    std::shared_ptr<Estimator> estimator_;
    std::shared_ptr<PreparedFrame> reference_;
    int device_;
    std::unique_ptr<cuda::DriftRun> run_;
};

}  // namespace

void bind_cuda_drift(py::module_& m) {
    using namespace py::literals;
    py::class_<PyDrifts>(m, "DeviceDrifts", "Drifts from one reference, measured on a GPU.")
        .def(py::init<std::shared_ptr<Estimator>, std::shared_ptr<PreparedFrame>, std::size_t, int,
                      std::size_t>(),
             "estimator"_a, "reference"_a, "working_bytes"_a, "device"_a, "stream"_a = 0)
        .def("compare", &PyDrifts::compare, "frames"_a, "name"_a, "stream"_a = 0)
        .def_property_readonly("bytes", &PyDrifts::bytes);
}

}  // namespace stemzoo
