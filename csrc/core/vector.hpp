// The vector extensions of GCC and Clang: the only place that names them.
//
// Types and macros, but no functions: this header is read by units that are compiled for different
// instruction sets, and their copies of one function would be taken for the same (core/lanes.hpp).
#pragma once

#include <cstddef>

namespace stemzoo {

template <typename T, std::size_t N>
struct VectorOf {
    typedef T type __attribute__((vector_size(N * sizeof(T))));
};

// N numbers of T with element-wise arithmetic and comparisons.
template <typename T, std::size_t N>
using Vector = typename VectorOf<T, N>::type;

}  // namespace stemzoo

// Of the widest register that the flags of this unit allow; 0 where no vectors are known.
#if defined(__AVX512F__)
#define STEMZOO_VECTOR_BYTES 64
#elif defined(__AVX__)
#define STEMZOO_VECTOR_BYTES 32
#elif defined(__SSE2__) || (defined(__aarch64__) && defined(__ARM_NEON))
#define STEMZOO_VECTOR_BYTES 16
#else
#define STEMZOO_VECTOR_BYTES 0
#endif

#define STEMZOO_CONVERT_VECTOR(vector, Type) __builtin_convertvector(vector, Type)
#define STEMZOO_SHUFFLE_VECTORS(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define STEMZOO_PREFETCH(address) __builtin_prefetch(address)
