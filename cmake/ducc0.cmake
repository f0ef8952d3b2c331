# Provides the target `ducc0`: the include path of its FFT, which is header code under BSD-3-Clause
# or GPL-2.0-or-later (used here under BSD-3-Clause). The source is not in this repository. Set
# STEMZOO_DUCC0_SOURCE (a CMake or an environment variable) to its archive or to the folder that it
# unpacks to, and neither a network nor Python is needed. Otherwise pip takes the archive by the name
# and hash in ducc0.txt.

set(STEMZOO_DUCC0_SOURCE "$ENV{STEMZOO_DUCC0_SOURCE}" CACHE PATH
    "ducc0's source archive or folder, instead of fetching it")
set(STEMZOO_DOWNLOADS "${CMAKE_BINARY_DIR}/ducc0" CACHE PATH
    "Folder of fetched archives; several build folders may share it")

set(requirement "${CMAKE_CURRENT_LIST_DIR}/ducc0.txt")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${requirement}")
file(STRINGS "${requirement}" line REGEX "^ducc0==")
string(REGEX REPLACE "^ducc0==([0-9.]+) --hash=sha256:([0-9a-f]+)$" "\\1;\\2" parts "${line}")
list(GET parts 0 ducc0_version)
list(GET parts 1 ducc0_sha256)
set(override_hint "To build without fetching, set STEMZOO_DUCC0_SOURCE to ducc0-${ducc0_version}.tar.gz \
or to the folder it unpacks to.")

function(stemzoo_fetch_ducc0 archive)
    get_filename_component(folder "${archive}" DIRECTORY)
    if(NOT Python_EXECUTABLE)
        find_package(Python 3 COMPONENTS Interpreter)
    endif()
    if(NOT Python_EXECUTABLE)
        message(FATAL_ERROR "There is no Python to fetch ducc0 with. ${override_hint}")
    endif()
    message(STATUS "Fetching ducc0 ${ducc0_version} with pip")
    execute_process(
        COMMAND "${Python_EXECUTABLE}" -m pip --disable-pip-version-check --quiet download --no-deps
                --no-binary ducc0 --require-hashes --requirement "${requirement}" --dest "${folder}"
        RESULT_VARIABLE status ERROR_VARIABLE output OUTPUT_VARIABLE output)
    if(NOT status EQUAL 0 OR NOT EXISTS "${archive}")
        message(FATAL_ERROR "pip could not fetch ducc0 ${ducc0_version}:\n${output}\n${override_hint}")
    endif()
endfunction()

function(stemzoo_unpack_ducc0 archive folder)
    file(SHA256 "${archive}" found)
    if(NOT found STREQUAL ducc0_sha256)
        message(FATAL_ERROR "${archive} has sha256 ${found}, expected ${ducc0_sha256} for ducc0 "
                            "${ducc0_version}; delete it if it was fetched. ${override_hint}")
    endif()
    if(NOT EXISTS "${folder}/.complete")
        file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${folder}")
        file(TOUCH "${folder}/.complete")
    endif()
endfunction()

if(IS_DIRECTORY "${STEMZOO_DUCC0_SOURCE}")
    set(ducc0_source "${STEMZOO_DUCC0_SOURCE}")
else()
    set(archive "${STEMZOO_DUCC0_SOURCE}")
    if(archive STREQUAL "")
        set(archive "${STEMZOO_DOWNLOADS}/ducc0-${ducc0_version}.tar.gz")
        if(NOT EXISTS "${archive}")
            stemzoo_fetch_ducc0("${archive}")
        endif()
    elseif(NOT EXISTS "${archive}")
        message(FATAL_ERROR "STEMZOO_DUCC0_SOURCE names ${archive}, which does not exist")
    endif()
    stemzoo_unpack_ducc0("${archive}" "${CMAKE_BINARY_DIR}/ducc0/source")
    set(ducc0_source "${CMAKE_BINARY_DIR}/ducc0/source/ducc0-${ducc0_version}")
endif()

if(NOT EXISTS "${ducc0_source}/src/ducc0/fft/fft1d_impl.h")
    message(FATAL_ERROR "${ducc0_source} holds no src/ducc0/fft. ${override_hint}")
endif()

add_library(ducc0 INTERFACE)
target_include_directories(ducc0 SYSTEM INTERFACE "${ducc0_source}/src")
# Transforms are small; threads are spread over many of them (core/parallel.hpp).
target_compile_definitions(ducc0 INTERFACE DUCC0_NO_LOWLEVEL_THREADING)
