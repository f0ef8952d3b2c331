// Which instruction set the vector kernels use. They are compiled once for each; the choice is made
// when the first kernel is asked for.
#pragma once

namespace stemzoo {

enum class Isa { baseline, avx2, avx512 };

// The best this machine and build have, or what the environment variable STEMZOO_ISA names
// (baseline, avx2, avx512). A name this machine cannot run throws std::invalid_argument.
Isa chosen_isa();

const char* isa_name(Isa isa);

}  // namespace stemzoo
