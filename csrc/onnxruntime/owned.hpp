// Objects of ONNX Runtime that release themselves.
#pragma once

#include <memory>

#include "onnxruntime/runtime.hpp"

namespace stemzoo::onnxruntime {

template <typename T>
using Owned = std::unique_ptr<T, void(STEMZOO_ORT_CALL*)(T*)>;

// made<OrtSession>(runtime, api.CreateSession, api.ReleaseSession, first arguments...)
template <typename T, typename Create, typename... Arguments>
Owned<T> made(const Runtime& runtime, Create create, void(STEMZOO_ORT_CALL* release)(T*),
              Arguments... arguments) {
    T* object = nullptr;
    runtime.check(create(arguments..., &object));
    return {object, release};
}

}  // namespace stemzoo::onnxruntime
