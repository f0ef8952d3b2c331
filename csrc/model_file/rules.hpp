// The operators that a model may use, each with its rule: what networks for images need, and
// nothing that runs a graph inside a node, has a size that pixel values decide, or takes anything
// but tensors.
//
// A rule gives the shapes of what a node makes. It also refuses what would crash a runtime instead
// of failing in it, such as a stride of zero.
#pragma once

#include "model_file/call.hpp"

namespace stemzoo::model_file {

const Rules& operators();

void add_arithmetic(Rules& rules);   // element by element, or along axes
void add_layers(Rules& rules);       // what holds weights or looks around a pixel
void add_rearranging(Rules& rules);  // what moves, repeats or leaves out elements
void add_shaping(Rules& rules);      // what handles shapes

}  // namespace stemzoo::model_file
