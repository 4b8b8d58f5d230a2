# Run by cpack between the installation into its folder and the making of the package.
set(ENV{DESTDIR} "")  # cpack's own is over; what follows says whole paths
set(stage "${CPACK_TEMPORARY_INSTALL_DIRECTORY}")
set(doc "${stage}/usr/share/doc/postern")
set(packaging "${CPACK_POSTERN_SOURCE}/packaging")

function(compressed from to)
    execute_process(COMMAND gzip -9nc "${from}" OUTPUT_FILE "${to}" COMMAND_ERROR_IS_FATAL ANY)
    file(CHMOD "${to}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

compressed("${CPACK_POSTERN_SOURCE}/CHANGELOG.md" "${doc}/changelog.gz")
compressed("${packaging}/debian/changelog" "${doc}/changelog.Debian.gz")
file(INSTALL "${packaging}/debian/copyright" DESTINATION "${doc}")
file(INSTALL "${packaging}/debian/lintian-overrides" DESTINATION "${stage}/usr/share/lintian/overrides" RENAME postern)

file(GLOB_RECURSE pages "${stage}/usr/share/man/*.[0-9]")
foreach(page IN LISTS pages)
    compressed("${page}" "${page}.gz")
    file(REMOVE "${page}")
endforeach()

execute_process(COMMAND "${packaging}/make-sbom.py" "${CPACK_PACKAGE_VERSION}" "${doc}/postern.spdx.json" "${stage}"
    COMMAND_ERROR_IS_FATAL ANY)
