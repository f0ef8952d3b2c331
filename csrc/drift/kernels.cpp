#include "drift/kernels.hpp"

#include "core/isa.hpp"
#include "drift/pixel_kernels.hpp"

namespace stemzoo {

// Each lives in translation units of its own, compiled from row_kernels.cpp and pixel_kernels.cpp.
#define STEMZOO_DECLARE_VARIANT(isa)                  \
    namespace isa {                                   \
    const drift::Kernels& drift_kernels();            \
    const drift::PixelKernels& drift_pixel_kernels(); \
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

const PixelKernels& pixel_kernels() {
    switch (chosen_isa()) {
#ifdef STEMZOO_X86_VARIANTS
        case Isa::avx512:
            return isa_avx512::drift_pixel_kernels();
        case Isa::avx2:
            return isa_avx2::drift_pixel_kernels();
#endif
        default:
            return isa_baseline::drift_pixel_kernels();
    }
}

}  // namespace drift
}  // namespace stemzoo
