// Batches of one-dimensional FFTs, one signal in each vector lane, by ducc0.
//
// How wide a vector is follows from the compiler's flags, so this header belongs only into
// translation units that are compiled once for each instruction set, with DUCC0_NAMESPACE and
// STEMZOO_ISA set to names of their own (see CMakeLists.txt). Everything else asks those units
// through an abstract class.
#pragma once

#include <cstddef>

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

namespace stemzoo::STEMZOO_ISA {

namespace ducc = DUCC0_NAMESPACE;

template <typename T>
constexpr std::size_t lanes = ducc::native_simd<T>::size();

template <typename T>
using Lanes = ducc::native_simd<T>;

// Elements of T in one complex number of every lane: all real parts, then all imaginary parts.
template <typename T>
constexpr std::size_t complex_width = 2 * lanes<T>;

// Complex transforms of `length()` numbers a lane. `data` is overwritten; the result lies in `data`
// or in `work`.
template <typename T>
class ComplexFft {
  public:
    explicit ComplexFft(std::size_t length) : plan_(length) {}
    std::size_t length() const { return plan_.length(); }
    std::size_t work_size() const { return plan_.bufsize() * complex_width<T>; }

    T* forward(T* data, T* work) const { return run(data, work, true); }
    T* backward(T* data, T* work) const { return run(data, work, false); }

  private:
    using Number = ducc::Cmplx<Lanes<T>>;
    static_assert(sizeof(Number) == complex_width<T> * sizeof(T));

    T* run(T* data, T* work, bool forward) const {
        auto* result = plan_.exec(reinterpret_cast<Number*>(data), reinterpret_cast<Number*>(work),
                                  T(1), forward);
        return reinterpret_cast<T*>(result);
    }

    ducc::detail_fft::pocketfft_c<T> plan_;
};

// Real transforms to and from the half-complex order r0, r1, i1, r2, i2, ...; else as above.
template <typename T>
class RealFft {
  public:
    explicit RealFft(std::size_t length) : plan_(length) {}
    std::size_t length() const { return plan_.length(); }
    std::size_t work_size() const { return plan_.bufsize() * lanes<T>; }

    T* forward(T* data, T* work) const { return run(data, work, true); }
    T* backward(T* data, T* work) const { return run(data, work, false); }

  private:
    T* run(T* data, T* work, bool forward) const {
        auto* result = plan_.exec(reinterpret_cast<Lanes<T>*>(data),
                                  reinterpret_cast<Lanes<T>*>(work), T(1), forward);
        return reinterpret_cast<T*>(result);
    }

    ducc::detail_fft::pocketfft_r<T> plan_;
};

}  // namespace stemzoo::STEMZOO_ISA
