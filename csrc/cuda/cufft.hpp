// The functions of cuFFT that are used here, declared by us and looked up at run time: neither a
// build nor an import needs NVIDIA's headers or library.
#pragma once

#include <cstddef>
#include <string>

namespace stemzoo::cuda::cufft {

using Handle = int;
using Result = int;  // 0 is success

enum Type : int { c2c = 0x29, r2c = 0x2a, c2r = 0x2c, z2z = 0x69, d2z = 0x6a, z2d = 0x6c };
enum Direction : int { forward = -1, inverse = 1 };

struct Library {
    Result (*Create)(Handle* plan);
    Result (*Destroy)(Handle plan);
    Result (*SetAutoAllocation)(Handle plan, int automatic);
    Result (*MakePlanMany64)(Handle plan, int rank, long long* n, long long* inembed,
                             long long istride, long long idist, long long* onembed,
                             long long ostride, long long odist, Type type, long long batch,
                             std::size_t* work_bytes);
    Result (*SetWorkArea)(Handle plan, void* memory);
    Result (*SetStream)(Handle plan, void* stream);
    Result (*ExecC2C)(Handle plan, void* in, void* out, int direction);
    Result (*ExecR2C)(Handle plan, void* in, void* out);
    Result (*ExecC2R)(Handle plan, void* in, void* out);
    Result (*ExecZ2Z)(Handle plan, void* in, void* out, int direction);
    Result (*ExecD2Z)(Handle plan, void* in, void* out);
    Result (*ExecZ2D)(Handle plan, void* in, void* out);
    std::string error;  // why it could not be opened; empty if it could
};

// Opened once a process: the file that STEMZOO_CUFFT names, or that of the nvidia-cufft package in
// the environment of this module, or the system's.
const Library& library();

}  // namespace stemzoo::cuda::cufft
