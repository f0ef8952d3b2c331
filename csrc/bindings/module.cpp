#include <pybind11/pybind11.h>

#include "core/isa.hpp"

namespace stemzoo {
void bind_cuda(pybind11::module_& m);
void bind_cuda_drift(pybind11::module_& m);
void bind_cuda_masked(pybind11::module_& m);
void bind_device_tensor(pybind11::module_& m);
void bind_drift(pybind11::module_& m);
void bind_drift_steps(pybind11::module_& m);
void bind_inference(pybind11::module_& m);
void bind_model_file(pybind11::module_& m);
void bind_ncc(pybind11::module_& m);
void bind_rebin(pybind11::module_& m);
void bind_resample(pybind11::module_& m);
void bind_scan(pybind11::module_& m);
void bind_scan_merge(pybind11::module_& m);
void bind_spectrum(pybind11::module_& m);
void bind_survey(pybind11::module_& m);
void bind_tiling(pybind11::module_& m);
void bind_tracker(pybind11::module_& m);
void bind_trust(pybind11::module_& m);
}  // namespace stemzoo

PYBIND11_MODULE(_core, m) {
    m.doc() = "The C++ core of stemzoo.";
    m.attr("__version__") = STEMZOO_VERSION;
    m.def(
        "isa", [] { return stemzoo::isa_name(stemzoo::chosen_isa()); },
        "The instruction set the vector kernels use: baseline, avx2 or avx512.");
    stemzoo::bind_drift(m);
    stemzoo::bind_drift_steps(m);
    stemzoo::bind_model_file(m);
    stemzoo::bind_ncc(m);
    stemzoo::bind_rebin(m);
    stemzoo::bind_resample(m);
    stemzoo::bind_scan(m);
    stemzoo::bind_scan_merge(m);  // after the estimator that it takes
    stemzoo::bind_spectrum(m);
    stemzoo::bind_survey(m);
    stemzoo::bind_tiling(m);
    stemzoo::bind_inference(m);  // after the tiling that it returns
    stemzoo::bind_tracker(m);
    stemzoo::bind_device_tensor(m);
    stemzoo::bind_cuda(m);  // after the tiling and the tensor that it takes
    stemzoo::bind_cuda_drift(m);
    stemzoo::bind_cuda_masked(m);
    stemzoo::bind_trust(m);
}
