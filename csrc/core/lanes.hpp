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

// Of blocks of `size` elements of a and b, numbered through: those that each group of `group`
// blocks has as its lower (half = 0) or upper (half = 1) half, one of a and one of b in turn.
template <std::size_t size, std::size_t group, std::size_t half, typename V, std::size_t... i>
inline V interleave(V a, V b, std::index_sequence<i...>) {
    constexpr std::size_t n = sizeof...(i);
    const auto from = [](std::size_t at) {
        const std::size_t block = at / size, of_b = block % 2, first = block / group * group;
        return static_cast<int>((first + half * group / 2 + block % group / 2) * size + at % size +
                                of_b * n);
    };
    return STEMZOO_SHUFFLE_VECTORS(a, b, from(i)...);
}

// Every other block of `size` elements of a and then of b, from the first or second (half = 1) on.
template <std::size_t size, std::size_t half, typename V, std::size_t... i>
inline V every_other(V a, V b, std::index_sequence<i...>) {
    return STEMZOO_SHUFFLE_VECTORS(a, b,
                                   static_cast<int>((2 * (i / size) + half) * size + i % size)...);
}

// Written out one by one: where GCC leaves a loop over vectors a loop, they lie in memory.
template <typename T, std::size_t N, typename Source, std::size_t... i>
inline void load_rows(const Source& source, Vector<T, N>* rows, std::index_sequence<i...>) {
    ((rows[i] = load<T, N>(source(i))), ...);
}

template <typename V, typename Target, std::size_t... i>
inline void store_rows(const V* rows, const Target& target, std::index_sequence<i...>) {
    (store(rows[i], target(i)), ...);
}

// Transposes an N x N tile whose rows `source(i)` and `target(i)` point to. N is a power of two.
// Four rows at a time, the 4 x 4 tiles in 128-bit parts; then those parts as if each were one
// element: shuffles that need no register to say what goes where.
template <typename T, std::size_t N, typename Source, typename Target>
inline void transpose(const Source& source, const Target& target) {
    using Index = std::make_index_sequence<N>;
    constexpr std::size_t quad = N < 4 ? N : 4;
    Vector<T, N> v[N], w[N];
    load_rows<T, N>(source, v, Index());
    for (std::size_t round = 1; round < quad; round *= 2) {
        for (std::size_t first = 0; first < N; first += quad) {
            for (std::size_t i = 0; i < quad / 2; ++i) {
                const Vector<T, N> a = v[first + i], b = v[first + i + quad / 2];
                w[first + 2 * i] = interleave<1, quad, 0>(a, b, Index());
                w[first + 2 * i + 1] = interleave<1, quad, 1>(a, b, Index());
            }
        }
        for (std::size_t i = 0; i < N; ++i) v[i] = w[i];
    }
    for (std::size_t round = quad; round < N; round *= 2) {
        for (std::size_t i = 0; i < N / 2; ++i) {
            // Rows of two neighbouring fours, or of what became of them.
            const std::size_t row = i / quad * 2 * quad + i % quad;
            w[i] = every_other<quad, 0>(v[row], v[row + quad], Index());
            w[i + N / 2] = every_other<quad, 1>(v[row], v[row + quad], Index());
        }
        for (std::size_t i = 0; i < N; ++i) v[i] = w[i];
    }
    store_rows(v, target, Index());
}

}  // namespace stemzoo::STEMZOO_ISA
