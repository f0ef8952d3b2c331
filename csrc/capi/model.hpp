// What stands behind a stemzoo_model. Estimators hold the network as well, so that a model may be
// closed before them.
#pragma once

#include <memory>

#include "capi/network.hpp"

struct stemzoo_model {
    std::shared_ptr<const stemzoo::capi::Network> network;
    unsigned threads;
};
