# Defines stemzoo::stemzoo, the C library, and stemzoo::core, the C++ core, where they are installed.
include(CMakeFindDependencyMacro)
if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/stemzooTargets.cmake")
    find_dependency(Threads)
    include("${CMAKE_CURRENT_LIST_DIR}/stemzooTargets.cmake")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/stemzooLibrary.cmake" OPTIONAL)
