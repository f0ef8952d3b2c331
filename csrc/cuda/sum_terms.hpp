// A sum of terms over the threads of a block, in float64 and always in the same order.
#pragma once

#include "cuda/launch.hpp"

namespace stemzoo::cuda {

// `Terms` has a type Sum with join(Sum), `threads` that are a power of two, and for each block and
// thread a part of the sum, Sum operator()(block, blocks, thread). Block (x, y) writes
// sums[y * blocks.x + x].
template <typename Terms>
struct SumTerms {
    using Sum = typename Terms::Sum;
    static constexpr unsigned threads = Terms::threads;
    struct Shared {
        Sum part[threads];
    };

    Terms terms;
    Sum* sums;

    STEMZOO_ANYWHERE bool operator()(unsigned step, Index block, Index blocks, unsigned thread,
                                     Shared& shared) const {
        if (step == 0) {
            shared.part[thread] = terms(block, blocks, thread);
            return true;
        }
        const unsigned half = threads >> step;
        if (half == 0) {
            if (thread == 0) sums[std::size_t{block.y} * blocks.x + block.x] = shared.part[0];
            return false;
        }
        if (thread < half) shared.part[thread].join(shared.part[thread + half]);
        return true;
    }
};

template <typename Terms>
void launch_sums(const Queue& queue, Index blocks, const Terms& terms, typename Terms::Sum* sums) {
    launch_blocks(queue, blocks, SumTerms<Terms>{terms, sums});
}

}  // namespace stemzoo::cuda
