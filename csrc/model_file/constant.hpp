// A constant of a model, once its bytes fit its shape.
#pragma once

#include "model_file/array.hpp"
#include "model_file/onnx_messages.hpp"

namespace stemzoo::model_file {

Array constant(const onnx::Tensor& given);

}  // namespace stemzoo::model_file
