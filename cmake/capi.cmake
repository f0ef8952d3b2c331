# The C library, libstemzoo: one shared library that exports what csrc/capi/stemzoo.h declares and
# nothing else, and needs nothing but the system's own C library (on Linux: libc and libm).
add_library(
    stemzoo_capi SHARED
    csrc/capi/drift.cpp
    csrc/capi/estimator.cpp
    csrc/capi/image.cpp
    csrc/capi/model.cpp
    csrc/capi/model_content.cpp
    csrc/capi/ncc.cpp
    csrc/capi/network.cpp
    csrc/capi/rows.cpp
    csrc/capi/runtime.cpp
    csrc/capi/status.cpp
    csrc/capi/tracker.cpp
    csrc/onnxruntime/places.cpp
    csrc/onnxruntime/providers.cpp
    csrc/onnxruntime/runtime.cpp
    csrc/onnxruntime/session.cpp
    csrc/core/shared_library.cpp)
set_target_properties(
    stemzoo_capi
    PROPERTIES OUTPUT_NAME stemzoo
               EXPORT_NAME stemzoo
               VERSION ${PROJECT_VERSION}
               SOVERSION 0)
target_compile_definitions(stemzoo_capi PRIVATE STEMZOO_BUILDING
                                                STEMZOO_VERSION="${PROJECT_VERSION}")
target_include_directories(
    stemzoo_capi INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/csrc/capi>
                           $<INSTALL_INTERFACE:include>)
stemzoo_precompile(stemzoo_capi)
target_link_libraries(stemzoo_capi PRIVATE $<BUILD_INTERFACE:stemzoo_core> ${CMAKE_DL_LIBS})

if(MINGW)
    # stemzoo.dll and stemzoo.lib, as every Windows compiler expects them.
    set_target_properties(stemzoo_capi PROPERTIES PREFIX "" IMPORT_PREFIX "" IMPORT_SUFFIX ".lib")
    target_link_options(stemzoo_capi PRIVATE -Wl,--gc-sections $<$<CONFIG:Release>:-s>)
elseif(UNIX AND NOT APPLE)
    set(map "${PROJECT_SOURCE_DIR}/csrc/capi/stemzoo.map")
    # Threads of the pool may be waiting when a host closes the library: it stays in memory.
    target_link_options(stemzoo_capi PRIVATE "-Wl,--version-script=${map}" -Wl,-z,nodelete
                        -Wl,--gc-sections)
    set_target_properties(stemzoo_capi PROPERTIES LINK_DEPENDS "${map}")
    if(NOT STEMZOO_SANITIZE)  # Clang's sanitizers are in the program alone
        target_link_options(stemzoo_capi PRIVATE -Wl,-z,defs -static-libstdc++ -static-libgcc
                            $<$<CONFIG:Release>:-s>)
    endif()
endif()

# `cmake --install FOLDER --component capi`.
install(TARGETS stemzoo_capi EXPORT stemzoo_capi COMPONENT capi)
install(FILES csrc/capi/stemzoo.h csrc/capi/stemzoo.hpp DESTINATION include COMPONENT capi)
install(EXPORT stemzoo_capi NAMESPACE stemzoo:: FILE stemzooLibrary.cmake
        DESTINATION lib/cmake/stemzoo COMPONENT capi)
configure_file(cmake/stemzoo.pc.in "${PROJECT_BINARY_DIR}/stemzoo.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/stemzoo.pc" DESTINATION lib/pkgconfig COMPONENT capi)
