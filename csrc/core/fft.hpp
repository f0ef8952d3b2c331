// Batches of one-dimensional FFTs, one signal in each vector lane, by ducc0.
//
// How wide a vector is follows from the compiler's flags, so this header belongs only into
// translation units that are compiled once for each instruction set, with STEMZOO_ISA set to a name
// of their own (see cmake/instruction_sets.cmake). Everything else asks those units through an
// abstract class.
#pragma once

#include <cstddef>
#include <memory>

#include "core/lanes.hpp"

namespace stemzoo::STEMZOO_ISA {

enum class Numbers { real, complex };

// Transforms of `length()` numbers a lane. A complex number of every lane is all real parts, then
// all imaginary parts; a real signal's spectrum is in half-complex order r0, r1, i1, r2, i2, ...
// `data` is overwritten; the result lies in `data` or in `work`.
template <typename T, Numbers numbers>
class BatchFft {
  public:
    // Elements of T in one number of every lane.
    static constexpr std::size_t width = numbers == Numbers::complex ? 2 * lanes<T> : lanes<T>;

    explicit BatchFft(std::size_t length);
    ~BatchFft();
    std::size_t length() const;
    std::size_t work_size() const;  // elements of T

    T* forward(T* data, T* work) const { return run(data, work, true); }
    T* backward(T* data, T* work) const { return run(data, work, false); }

  private:
    struct Plan;
    T* run(T* data, T* work, bool forward) const;

    std::unique_ptr<const Plan> plan_;
};

template <typename T>
using ComplexFft = BatchFft<T, Numbers::complex>;
template <typename T>
using RealFft = BatchFft<T, Numbers::real>;

}  // namespace stemzoo::STEMZOO_ISA
