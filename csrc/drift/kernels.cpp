#include "drift/kernels.hpp"

#include "core/isa.hpp"

namespace stemzoo {

// Each lives in a translation unit of its own, compiled from row_kernels.cpp.
#define STEMZOO_DECLARE_VARIANT(isa)       \
    namespace isa {                        \
    const drift::Kernels& drift_kernels(); \
    }
STEMZOO_DECLARE_VARIANT(isa_baseline)
#ifdef STEMZOO_X86_VARIANTS
STEMZOO_DECLARE_VARIANT(isa_avx2)
STEMZOO_DECLARE_VARIANT(isa_avx512)
#endif

namespace drift {

const Kernels& kernels() {
    switch (chosen_isa()) {
#ifdef STEMZOO_X86_VARIANTS
        case Isa::avx512:
            return isa_avx512::drift_kernels();
        case Isa::avx2:
            return isa_avx2::drift_kernels();
#endif
        default:
            return isa_baseline::drift_kernels();
    }
}

}  // namespace drift
}  // namespace stemzoo
