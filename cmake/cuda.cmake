# The module stemzoo_cuda: the core on NVIDIA GPUs, opened at run time where there is one
# (csrc/cuda/open_module.hpp). It needs nvcc to be built and a driver to be used, nothing else: the
# CUDA runtime is linked into it, and cuFFT is looked up when a transform is made.
set(STEMZOO_CUDA AUTO CACHE STRING "Build the CUDA module: AUTO (where nvcc is), ON or OFF")
set_property(CACHE STEMZOO_CUDA PROPERTY STRINGS AUTO ON OFF)

# What both the module and its emulation in the tests are made of. Kernels are in the .cu files.
set(STEMZOO_CUDA_SOURCES
    csrc/cuda/module.cpp
    csrc/cuda/pack.cu
    csrc/drift/device_frames.cu
    csrc/drift/device_pairs.cu
    csrc/drift/regression.cpp
    csrc/ncc/masked.cu
    csrc/ncc/overlap.cu
    csrc/ncc/plain.cu
    csrc/tiling/blend.cu
    csrc/tiling/device_tiles.cu
    csrc/tiling/split.cu
    csrc/tiling/statistics.cu)
list(TRANSFORM STEMZOO_CUDA_SOURCES PREPEND "${PROJECT_SOURCE_DIR}/")

set(cuda OFF)
if(STEMZOO_CUDA STREQUAL "ON")
    set(cuda ON)
elseif(STEMZOO_CUDA STREQUAL "AUTO" AND STEMZOO_BUILD_PYTHON AND NOT STEMZOO_SANITIZE)
    include(CheckLanguage)
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
        set(cuda ON)
    else()
        message(STATUS "The CUDA module is left out: nvcc was not found")
    endif()
endif()
if(NOT cuda)
    return()
endif()

# A100, H100, B200, and the code of the last for any later card.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90-real 100)
endif()
enable_language(CUDA)

add_library(
    stemzoo_cuda MODULE
    ${STEMZOO_CUDA_SOURCES}
    csrc/core/shared_library.cpp
    csrc/cuda/cufft.cpp
    csrc/cuda/devices_cuda.cpp
    csrc/cuda/fft_cuda.cpp
    csrc/cuda/queue_cuda.cpp)
set_target_properties(
    stemzoo_cuda
    PROPERTIES CUDA_STANDARD 17
               CUDA_STANDARD_REQUIRED ON
               CUDA_EXTENSIONS OFF
               CUDA_RUNTIME_LIBRARY Static
               CUDA_VISIBILITY_PRESET hidden
               # Headers take most of the time, for each architecture anew.
               UNITY_BUILD ON
               UNITY_BUILD_MODE BATCH)
target_include_directories(stemzoo_cuda PRIVATE csrc ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
target_compile_features(stemzoo_cuda PRIVATE cxx_std_17)
target_compile_definitions(stemzoo_cuda PRIVATE STEMZOO_VERSION="${PROJECT_VERSION}")
target_compile_options(
    stemzoo_cuda
    PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr --Werror=cross-execution-space-call
            --Werror=all-warnings -Xcompiler=-Wall,-Wextra>
            $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion>)
if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    # Half as large in an installation. Every driver that takes code of CUDA 13 can unpack it.
    target_compile_options(stemzoo_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--compress-mode=size>)
endif()
target_link_libraries(stemzoo_cuda PRIVATE ${CMAKE_DL_LIBS})
if(UNIX AND NOT APPLE)
    target_link_options(stemzoo_cuda PRIVATE LINKER:--no-undefined)  # or it is found when it opens
endif()
install(TARGETS stemzoo_cuda LIBRARY DESTINATION stemzoo/cuda COMPONENT python)
