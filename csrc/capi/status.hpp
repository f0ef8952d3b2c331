// The edge: exceptions become a status and a message of the calling thread.
#pragma once

#include <stdexcept>
#include <string>

#include "capi/stemzoo.h"

namespace stemzoo::capi {

// A file that cannot be opened or read.
struct CannotRead : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Called while an exception is handled: notes its message and returns its status.
int failed() noexcept;

// Every function of the library runs inside of it.
template <typename Work>
int guarded(Work&& work) noexcept {
    try {
        work();
        return STEMZOO_OK;
    } catch (...) {
        return failed();
    }
}

// Throws std::invalid_argument, by the name of the argument, where a pointer is null.
void require(const void* pointer, const char* name);

// A number of threads as the core takes it.
unsigned threads_from(int threads);

}  // namespace stemzoo::capi
