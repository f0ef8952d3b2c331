// A feature network, which whoever runs it supplies: a look goes in, maps come out.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/array.hpp"

namespace stemzoo::drift {

// `count` contiguous maps of `shape`, the second half of which count against a drift. `owner` keeps
// their memory.
struct Maps {
    const float* data = nullptr;
    std::size_t count = 0;
    Shape shape;
    std::shared_ptr<const void> owner;
};

// A look has three contiguous channels of `shape` (drift/look.hpp). It may be called from several
// threads at once, and may throw. An empty function means the classical way.
using Network = std::function<Maps(const float* look, Shape shape)>;

}  // namespace stemzoo::drift
