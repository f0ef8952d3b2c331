# Compiler flags of this project's own code: all that GCC, Clang and MinGW-w64 need to be told stands
# here and in instruction_sets.cmake. Headers of others are included as system headers.
option(STEMZOO_WERROR "Warnings are errors" OFF)
set(STEMZOO_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

# Linked by every target here, never by programs that use an installed core.
add_library(stemzoo_options INTERFACE)
target_compile_features(stemzoo_options INTERFACE cxx_std_17)
target_compile_options(
    stemzoo_options
    INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
              # Clang counts signs among conversions, which GCC does not in C++; and it blames the
              # caller for what libstdc++'s stable_sort uses.
              $<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion
              -Wno-deprecated-declarations>
              # Nobody reads errno or floating-point traps; with them, roots and selections are not
              # vectorised. Nothing here reorders arithmetic.
              -fno-math-errno -fno-trapping-math
              $<$<BOOL:${STEMZOO_WERROR}>:-Werror>)

if(STEMZOO_SANITIZE)
    target_compile_options(stemzoo_options INTERFACE -fsanitize=${STEMZOO_SANITIZE} -O1 -g1
                                                     -fno-omit-frame-pointer)
    target_link_options(stemzoo_options INTERFACE -fsanitize=${STEMZOO_SANITIZE})
    if(STEMZOO_SANITIZE MATCHES "undefined")
        target_compile_options(stemzoo_options INTERFACE -fno-sanitize-recover=undefined)
    endif()
endif()

if(MINGW)
    # Programs need none of the compiler's own DLLs.
    target_link_options(stemzoo_options INTERFACE -static)
endif()

# The standard headers that most files include, parsed once for a target. By itself not beside a
# launcher such as ccache, which compiles what has changed and nothing else, nor for Windows: builds
# without it show which file includes too little.
set(STEMZOO_PRECOMPILE AUTO CACHE STRING "Precompile standard headers: AUTO, ON or OFF")
set_property(CACHE STEMZOO_PRECOMPILE PROPERTY STRINGS AUTO ON OFF)
function(stemzoo_precompile target)
    set(wanted "${STEMZOO_PRECOMPILE}")
    if(wanted STREQUAL "AUTO")
        set(wanted ON)
        if(CMAKE_CXX_COMPILER_LAUNCHER OR MINGW)
            set(wanted OFF)
        endif()
    endif()
    if(wanted)
        target_precompile_headers(
            ${target} PRIVATE <algorithm> <array> <cmath> <cstdint> <functional> <limits> <memory>
            <numeric> <optional> <stdexcept> <string> <vector>)
    endif()
endfunction()
