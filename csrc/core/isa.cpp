#include "core/isa.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "core/cpu.hpp"

namespace stemzoo {
namespace {

bool runs_here(Isa isa) {
    return isa == Isa::avx512 ? cpu_has_avx512() : isa == Isa::avx2 ? cpu_has_avx2() : true;
}

Isa choose() {
    const char* wanted = std::getenv("STEMZOO_ISA");
    for (const Isa isa : {Isa::avx512, Isa::avx2, Isa::baseline}) {
        const bool named = wanted != nullptr && *wanted != '\0';
        if (named && std::string(wanted) != isa_name(isa)) continue;
        if (runs_here(isa)) return isa;
    }
    throw std::invalid_argument("STEMZOO_ISA=" + std::string(wanted) +
                                " is unknown or not available on this machine; expected baseline, "
                                "avx2 or avx512, or leave it unset");
}

}  // namespace

const char* isa_name(Isa isa) {
    return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "baseline";
}

Isa chosen_isa() {
    static const Isa isa = choose();
    return isa;
}

}  // namespace stemzoo
