// How much a network will hold and compute, from its graph for one shape of input.
//
// A file of a hundred bytes can ask for terabytes. Following the shapes through the graph before it
// runs tells, and costs a millisecond: no element is computed, but for the few from which shapes
// are.
#pragma once

#include <vector>

#include "model_file/array.hpp"
#include "model_file/graph.hpp"

namespace stemzoo::model_file {

// The shapes of a graph's outputs for a float32 input of this shape, if it can and may run so.
std::vector<Sides> follow(const Graph& graph, const Sides& input);

}  // namespace stemzoo::model_file
