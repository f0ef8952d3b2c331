// The only unit that compiles ducc0, which takes a minute: once for each instruction set, with
// DUCC0_NAMESPACE set to a name of its own. See core/fft.hpp.
#include <type_traits>

#include "core/fft.hpp"
#include "ducc0/infra/simd.h"

// Only vectors of the full width are transformed here. Telling ducc0 that narrower ones do not
// exist saves most of the time it takes to compile, and of the code.
#if !defined(DUCC0_HOMEGROWN_SIMD) && !defined(DUCC0_NO_SIMD)
namespace DUCC0_NAMESPACE::detail_simd {
template <typename T, int parts>
constexpr int narrower =
    native_simd<T>::size() > parts ? static_cast<int>(native_simd<T>::size()) / parts
                                   : -parts;  // no such part, but a number of its own
template <>
constexpr inline bool simd_exists<float, narrower<float, 2>> = false;
template <>
constexpr inline bool simd_exists<float, narrower<float, 4>> = false;
template <>
constexpr inline bool simd_exists<float, narrower<float, 8>> = false;
template <>
constexpr inline bool simd_exists<double, narrower<double, 2>> = false;
template <>
constexpr inline bool simd_exists<double, narrower<double, 4>> = false;
template <>
constexpr inline bool simd_exists<double, narrower<double, 8>> = false;
}  // namespace DUCC0_NAMESPACE::detail_simd
#endif

#include "ducc0/fft/fft1d_impl.h"

// ducc0's scheduler, without threads.
#include "ducc0/infra/threading.cc"

namespace stemzoo::STEMZOO_ISA {
namespace {

namespace ducc = DUCC0_NAMESPACE;

// One real number of every lane.
template <typename T>
using Batch = std::conditional_t<lanes<T> == 1, T, ducc::native_simd<T>>;

template <typename T, Numbers numbers>
using Number = std::conditional_t<numbers == Numbers::complex, ducc::Cmplx<Batch<T>>, Batch<T>>;

template <typename T, Numbers numbers>
using DuccPlan = std::conditional_t<numbers == Numbers::complex, ducc::detail_fft::pocketfft_c<T>,
                                    ducc::detail_fft::pocketfft_r<T>>;

}  // namespace

template <typename T, Numbers numbers>
struct BatchFft<T, numbers>::Plan : DuccPlan<T, numbers> {
    using DuccPlan<T, numbers>::DuccPlan;
};

template <typename T, Numbers numbers>
BatchFft<T, numbers>::BatchFft(std::size_t length) : plan_(std::make_unique<const Plan>(length)) {}

template <typename T, Numbers numbers>
BatchFft<T, numbers>::~BatchFft() = default;

template <typename T, Numbers numbers>
std::size_t BatchFft<T, numbers>::length() const {
    return plan_->length();
}

template <typename T, Numbers numbers>
std::size_t BatchFft<T, numbers>::work_size() const {
    return plan_->bufsize() * width;
}

template <typename T, Numbers numbers>
T* BatchFft<T, numbers>::run(T* data, T* work, bool forward) const {
    using N = Number<T, numbers>;
    static_assert(sizeof(N) == width * sizeof(T));
    return reinterpret_cast<T*>(
        plan_->exec(reinterpret_cast<N*>(data), reinterpret_cast<N*>(work), T(1), forward));
}

template class BatchFft<float, Numbers::real>;
template class BatchFft<float, Numbers::complex>;
template class BatchFft<double, Numbers::real>;
template class BatchFft<double, Numbers::complex>;

}  // namespace stemzoo::STEMZOO_ISA
