#include <cstdlib>
#include <string>

#include "check.hpp"
#include "core/isa.hpp"

TEST(the_environment_chooses_the_instruction_set) {
    const char* wanted = std::getenv("STEMZOO_ISA");
    const std::string name = stemzoo::isa_name(stemzoo::chosen_isa());
    if (wanted != nullptr && *wanted != '\0') CHECK(name == wanted);
    CHECK(name == "baseline" || name == "avx2" || name == "avx512");
}
