#include "core/isa.hpp"
#include "core/kept.hpp"
#include "ncc/spectral.hpp"

namespace stemzoo {

// Each lives in a translation unit of its own, compiled from spectral.cpp.
#define STEMZOO_DECLARE_VARIANT(isa)                                                         \
    namespace isa {                                                                          \
    std::shared_ptr<const ncc::Spectral<float>> make_spectral_float(const ncc::Geometry&);   \
    std::shared_ptr<const ncc::Spectral<double>> make_spectral_double(const ncc::Geometry&); \
    }

STEMZOO_DECLARE_VARIANT(isa_baseline)
#ifdef STEMZOO_X86_VARIANTS
STEMZOO_DECLARE_VARIANT(isa_avx2)
STEMZOO_DECLARE_VARIANT(isa_avx512)
#endif

namespace ncc {
namespace {

template <typename T>
std::shared_ptr<const Spectral<T>> make(const Geometry& geometry) {
    const auto with = [&](auto make_float, auto make_double) {
        if constexpr (sizeof(T) == sizeof(float)) {
            (void)make_double;
            return make_float(geometry);
        } else {
            (void)make_float;
            return make_double(geometry);
        }
    };
    switch (chosen_isa()) {
#ifdef STEMZOO_X86_VARIANTS
        case Isa::avx512:
            return with(isa_avx512::make_spectral_float, isa_avx512::make_spectral_double);
        case Isa::avx2:
            return with(isa_avx2::make_spectral_float, isa_avx2::make_spectral_double);
#endif
        default:
            return with(isa_baseline::make_spectral_float, isa_baseline::make_spectral_double);
    }
}

}  // namespace

template <typename T>
std::shared_ptr<const Spectral<T>> spectral_for(const Geometry& geometry) {
    static Kept<Geometry, Spectral<T>> kept;
    return kept.get(geometry, make<T>);
}

template std::shared_ptr<const Spectral<float>> spectral_for<float>(const Geometry&);
template std::shared_ptr<const Spectral<double>> spectral_for<double>(const Geometry&);

}  // namespace ncc
}  // namespace stemzoo
