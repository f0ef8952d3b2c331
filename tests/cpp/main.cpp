// Runs every test, or those whose name contains the first argument.
#include <stdexcept>

#include "check.hpp"
#include "core/isa.hpp"

int main(int argc, char** argv) {
    try {
        std::cout << "instruction set: " << stemzoo::isa_name(stemzoo::chosen_isa()) << '\n';
    } catch (const std::invalid_argument& error) {
        std::cout << "skipped: " << error.what() << std::endl;
        return 77;
    }
    return check::run(argc > 1 ? argv[1] : nullptr) ? 0 : 1;
}
