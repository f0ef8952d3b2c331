// How long work tells its caller how far it is, and hears that it is to end.
#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>

namespace stemzoo {

// Called on the caller's own thread; false cancels.
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

struct Cancelled : std::runtime_error {
    Cancelled() : std::runtime_error("the run was cancelled") {}
};

}  // namespace stemzoo
