# Warnings for this project's own code. Headers of others are included as system headers.
option(STEMZOO_WERROR "Warnings are errors" OFF)
option(STEMZOO_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)

add_library(stemzoo_options INTERFACE)
target_compile_features(stemzoo_options INTERFACE cxx_std_17)
target_compile_options(
    stemzoo_options
    INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
              # Nobody reads errno or floating-point traps; with them, roots and selections are not
              # vectorised. Nothing here reorders arithmetic.
              -fno-math-errno -fno-trapping-math
              $<$<BOOL:${STEMZOO_WERROR}>:-Werror>
              $<$<BOOL:${STEMZOO_SANITIZE}>:-fsanitize=address,undefined
              -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -g1>)
target_link_options(stemzoo_options INTERFACE
                    $<$<BOOL:${STEMZOO_SANITIZE}>:-fsanitize=address,undefined>)
