// DLPack's structures, declared by us (version 0.x, which every library still gives and takes).
#pragma once

#include <cstdint>

namespace stemzoo::dlpack {

enum DeviceType : std::int32_t { cpu = 1, cuda = 2, cuda_managed = 13 };
enum TypeCode : std::uint8_t { int_code = 0, uint_code = 1, float_code = 2, bool_code = 6 };

struct Device {
    std::int32_t type, id;
};

struct Type {
    std::uint8_t code, bits;
    std::uint16_t lanes;
};

struct Tensor {
    void* data;
    Device device;
    std::int32_t ndim;
    Type dtype;
    std::int64_t* shape;
    std::int64_t* strides;  // in elements; null: C-contiguous
    std::uint64_t byte_offset;
};

struct ManagedTensor {
    Tensor tensor;
    void* context;
    void (*deleter)(ManagedTensor*);
};

inline constexpr const char* name = "dltensor";
inline constexpr const char* used_name = "used_dltensor";

}  // namespace stemzoo::dlpack
