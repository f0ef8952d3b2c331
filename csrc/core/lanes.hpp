// Vector code that FFT batches need around them: loads, conversions, transposed tiles. Compiled
// once for each instruction set, like fft.hpp.
#pragma once

#include <cstddef>
#include <cstring>
#include <utility>

#include "core/vector.hpp"

namespace stemzoo::STEMZOO_ISA {

// Numbers of T in one vector register, as ducc0 counts them.
template <typename T>
constexpr std::size_t lanes =
    STEMZOO_VECTOR_BYTES < sizeof(T) ? 1 : STEMZOO_VECTOR_BYTES / sizeof(T);

template <typename T, std::size_t N>
inline Vector<T, N> load(const T* from) {
    Vector<T, N> v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

template <typename V, typename T>
inline void store(const V& v, T* to) {
    std::memcpy(to, &v, sizeof v);
}

// Each element of `v` as an element of the vector type V.
template <typename V, typename From>
inline V convert(const From& v) {
    return STEMZOO_CONVERT_VECTOR(v, V);
}

// a0 b0 a1 b1 ... of the lower (half = 0) or upper (half = 1) halves.
template <std::size_t half, typename V, std::size_t... i>
inline V interleave(V a, V b, std::index_sequence<i...>) {
    constexpr std::size_t n = sizeof...(i);
    return STEMZOO_SHUFFLE_VECTORS(a, b, static_cast<int>(i / 2 + half * n / 2 + (i % 2) * n)...);
}

// Transposes an N x N tile whose rows `source(i)` and `target(i)` point to. N is a power of two:
// log2(N) rounds of interleaving row i with row i + N/2 move every element to its place.
template <typename T, std::size_t N, typename Source, typename Target>
inline void transpose(const Source& source, const Target& target) {
    using Index = std::make_index_sequence<N>;
    Vector<T, N> v[N], w[N];
    for (std::size_t i = 0; i < N; ++i) v[i] = load<T, N>(source(i));
    for (std::size_t round = 1; round < N; round *= 2) {
        for (std::size_t i = 0; i < N / 2; ++i) {
            w[2 * i] = interleave<0>(v[i], v[i + N / 2], Index());
            w[2 * i + 1] = interleave<1>(v[i], v[i + N / 2], Index());
        }
        for (std::size_t i = 0; i < N; ++i) v[i] = w[i];
    }
    for (std::size_t i = 0; i < N; ++i) store(v[i], target(i));
}

}  // namespace stemzoo::STEMZOO_ISA
