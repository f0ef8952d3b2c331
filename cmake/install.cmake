# `cmake --install FOLDER --component core` installs the static core for find_package(stemzoo), which
# defines the target stemzoo::core. Headers are included by topic: #include "ncc/ncc.hpp".
include(CMakePackageConfigHelpers)

set(config "lib/cmake/stemzoo")
foreach(library IN ITEMS core ${STEMZOO_VARIANTS})
    string(REPLACE "stemzoo_" "" name "${library}")
    list(APPEND installed "stemzoo_${name}")
    set_target_properties("stemzoo_${name}" PROPERTIES EXPORT_NAME "${name}")
endforeach()
install(TARGETS ${installed} EXPORT stemzoo ARCHIVE DESTINATION lib COMPONENT core)
install(EXPORT stemzoo NAMESPACE stemzoo:: FILE stemzooTargets.cmake DESTINATION "${config}"
        COMPONENT core)
install(DIRECTORY csrc/ DESTINATION include/stemzoo COMPONENT core
        FILES_MATCHING PATTERN "*.hpp" PATTERN "bindings" EXCLUDE PATTERN "capi" EXCLUDE
                                                          PATTERN "onnxruntime" EXCLUDE)

write_basic_package_version_file("${PROJECT_BINARY_DIR}/stemzooConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
foreach(component core capi)
    install(FILES cmake/stemzooConfig.cmake "${PROJECT_BINARY_DIR}/stemzooConfigVersion.cmake"
            DESTINATION "${config}" COMPONENT ${component})
    install(FILES LICENSE cmake/ducc0-LICENSE.txt DESTINATION share/licenses/stemzoo
            COMPONENT ${component})
endforeach()
