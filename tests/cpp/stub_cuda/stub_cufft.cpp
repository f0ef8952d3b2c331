// cuFFT of the stub: transforms on the host, when their stream comes to them.
#include <map>

#include "cuda/cufft.hpp"
#include "cuda/emulation.hpp"
#include "cuda/fft_on_host.hpp"

namespace stemzoo::cuda::cufft {
namespace {

struct Plan {
    FftLayout layout;
    void* stream = nullptr;
};

std::map<Handle, Plan>& plans() {
    static std::map<Handle, Plan> all;
    return all;
}

Result create(Handle* plan) {
    static Handle next = 0;
    *plan = next++;
    plans()[*plan] = {};
    return 0;
}
Result destroy(Handle plan) { return plans().erase(plan) == 1 ? 0 : 1; }
Result set_auto_allocation(Handle, int) { return 0; }

Result make(Handle plan, int, long long* n, long long*, long long istride, long long idist,
            long long*, long long ostride, long long odist, Type type, long long batch,
            std::size_t* work_bytes) {
    const auto size = [](long long value) { return static_cast<std::size_t>(value); };
    const bool in_double = type == z2z || type == d2z || type == z2d;
    const FftKind kind = type == r2c || type == d2z   ? FftKind::real_to_complex
                         : type == c2r || type == z2d ? FftKind::complex_to_real
                                                      : FftKind::forward;
    plans()[plan].layout = {kind,          in_double,   size(*n),      size(batch),
                            size(istride), size(idist), size(ostride), size(odist)};
    *work_bytes = 64;
    return 0;
}
Result set_work_area(Handle, void*) { return 0; }
Result set_stream(Handle plan, void* stream) {
    plans()[plan].stream = stream;
    return 0;
}

Result run(Handle plan, const void* in, void* out, int direction = forward) {
    FftLayout layout = plans()[plan].layout;
    if (direction == inverse) layout.kind = FftKind::backward;
    emulation::run(plans()[plan].stream, [=] { transform_on_host(layout, in, out); });
    return 0;
}
Result complex_run(Handle plan, void* in, void* out, int direction) {
    return run(plan, in, out, direction);
}
Result real_run(Handle plan, void* in, void* out) { return run(plan, in, out); }

}  // namespace

const Library& library() {
    static const Library stub{
        create,   destroy,  set_auto_allocation, make,     set_work_area, set_stream, complex_run,
        real_run, real_run, complex_run,         real_run, real_run,      {}};
    return stub;
}

}  // namespace stemzoo::cuda::cufft
