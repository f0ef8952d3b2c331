#include <stdexcept>
#include <string>
#include <utility>

#include "cuda/cufft.hpp"
#include "cuda/fft.hpp"

namespace stemzoo::cuda {
namespace {

const cufft::Library& opened() {
    const cufft::Library& library = cufft::library();
    if (!library.error.empty()) throw std::runtime_error(library.error);
    return library;
}

void check(cufft::Result result, const char* what) {
    if (result == 0) return;
    constexpr int out_of_memory = 2;
    const std::string text =
        std::string(what) + " failed with cuFFT's result " + std::to_string(result);
    if (result == out_of_memory) throw OutOfMemory(text + ", out of memory");
    throw std::runtime_error(text);
}

cufft::Type type_of(const FftLayout& layout) {
    switch (layout.kind) {
        case FftKind::real_to_complex:
            return layout.in_double ? cufft::d2z : cufft::r2c;
        case FftKind::complex_to_real:
            return layout.in_double ? cufft::z2d : cufft::c2r;
        default:
            return layout.in_double ? cufft::z2z : cufft::c2c;
    }
}

}  // namespace

const char* no_fft() { return cufft::library().error.c_str(); }

Fft::Fft(const Queue&, const FftLayout& layout) : layout_(layout) {
    const cufft::Library& library = opened();
    check(library.Create(&plan_), "cufftCreate");
    const auto number = [](std::size_t n) { return static_cast<long long>(n); };
    // Only more dimensions than one would make use of the embedding sizes, but null would mean that
    // there are no strides.
    long long length = number(layout.length), in_embedding = length, out_embedding = length;
    try {
        check(library.SetAutoAllocation(plan_, 0), "cufftSetAutoAllocation");
        check(library.MakePlanMany64(plan_, 1, &length, &in_embedding, number(layout.in_stride),
                                     number(layout.in_distance), &out_embedding,
                                     number(layout.out_stride), number(layout.out_distance),
                                     type_of(layout), number(layout.count), &work_bytes_),
              "cufftMakePlanMany64");
    } catch (...) {
        (void)library.Destroy(plan_);
        throw;
    }
}

Fft::Fft(Fft&& other) noexcept
    : layout_(other.layout_),
      plan_(std::exchange(other.plan_, -1)),
      work_bytes_(other.work_bytes_) {}

Fft::~Fft() {
    if (plan_ >= 0) (void)cufft::library().Destroy(plan_);
}

void Fft::set_work(void* memory) const {
    if (work_bytes_ > 0) check(opened().SetWorkArea(plan_, memory), "cufftSetWorkArea");
}

void Fft::run(const Queue& queue, const void* in, void* out) const {
    const cufft::Library& library = opened();
    void* const from = const_cast<void*>(in);
    check(library.SetStream(plan_, queue.stream()), "cufftSetStream");
    const auto complex = [&](int direction) {
        return layout_.in_double ? library.ExecZ2Z(plan_, from, out, direction)
                                 : library.ExecC2C(plan_, from, out, direction);
    };
    switch (layout_.kind) {
        case FftKind::real_to_complex:
            return check(layout_.in_double ? library.ExecD2Z(plan_, from, out)
                                           : library.ExecR2C(plan_, from, out),
                         "a transform");
        case FftKind::complex_to_real:
            return check(layout_.in_double ? library.ExecZ2D(plan_, from, out)
                                           : library.ExecC2R(plan_, from, out),
                         "a transform");
        case FftKind::forward:
            return check(complex(cufft::forward), "a transform");
        case FftKind::backward:
            return check(complex(cufft::inverse), "a transform");
    }
}

}  // namespace stemzoo::cuda
