# The vector kernels, compiled once for each instruction set; core/isa.cpp chooses when they are
# first used.
#
# Every such unit also emits copies of inline functions it shares with the rest of the program
# (std::vector, say), and a linker keeps the first copy it meets for everybody. A copy with AVX-512
# in it must never be the one kept, or the program would end on an older processor before the choice
# is made. So the variants are static libraries that follow stemzoo_core on every link line (a
# library comes before what it depends on) from the narrowest to the widest: a shared copy is always
# taken from code that at most needs what the machine was found to have. The units have no static
# initialisers, and link-time optimisation, which would dissolve the order, is off.

set(STEMZOO_KERNELS csrc/core/fft_kernel.cpp csrc/core/fft2d_kernel.cpp csrc/drift/row_kernels.cpp
                    csrc/drift/pixel_kernels.cpp csrc/ncc/spectral.cpp)

function(stemzoo_kernel_definitions target name)
    target_compile_definitions(${target} PRIVATE STEMZOO_ISA=isa_${name}
                                                 DUCC0_NAMESPACE=ducc0_${name})
endfunction()

function(stemzoo_add_variant name)
    add_library(stemzoo_${name} STATIC ${STEMZOO_KERNELS})
    target_compile_options(stemzoo_${name} PRIVATE ${ARGN})
    target_include_directories(stemzoo_${name} PRIVATE csrc)
    target_link_libraries(stemzoo_${name} PRIVATE $<BUILD_INTERFACE:stemzoo_options>
                                                  $<BUILD_INTERFACE:ducc0>)
    set_target_properties(stemzoo_${name} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    stemzoo_kernel_definitions(stemzoo_${name} ${name})
    if(MINGW AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # GCC aligns no Windows stack to more than 16 bytes (GCC bug 54412), yet moves its vectors of
        # 32 and 64 bytes as if it did. The assembler turns those into unaligned moves.
        target_compile_options(stemzoo_${name} PRIVATE -Wa,-muse-unaligned-vector-move)
    endif()
endfunction()

add_library(stemzoo_baseline OBJECT ${STEMZOO_KERNELS})
target_include_directories(stemzoo_baseline PRIVATE csrc)
target_link_libraries(stemzoo_baseline PRIVATE $<BUILD_INTERFACE:stemzoo_options>
                                               $<BUILD_INTERFACE:ducc0>)
stemzoo_kernel_definitions(stemzoo_baseline baseline)
if(STEMZOO_SANITIZE MATCHES "undefined")
    # Checks of every pointer double the minutes that ducc0's templates take; ASan sees the same.
    set(unsanitized -fno-sanitize=undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # GCC takes four times as long to watch the ends of ducc0's inner scopes; Clang does so in the
        # preset `fuzz`.
        list(APPEND unsanitized -fno-sanitize-address-use-after-scope)
    endif()
    set_source_files_properties(csrc/core/fft_kernel.cpp PROPERTIES COMPILE_OPTIONS
                                                                    "${unsanitized}")
endif()

set(STEMZOO_VARIANTS "")
# Sanitizers read the same source, and take minutes for each variant.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND NOT STEMZOO_SANITIZE)
    stemzoo_add_variant(avx2 -mavx2 -mfma)
    stemzoo_add_variant(avx512 -mavx2 -mfma -mavx512f -mavx512dq -mavx512bw -mavx512vl)
    target_link_libraries(stemzoo_avx2 PRIVATE stemzoo_avx512)  # only for the order
    set(STEMZOO_VARIANTS stemzoo_avx2 stemzoo_avx512)
endif()
