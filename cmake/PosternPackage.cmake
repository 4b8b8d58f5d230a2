# The Debian package, made of everything that is installed: packaging/make-deb.sh runs it, docs/PACKAGE.md tells of it.
set(debian "${CMAKE_SOURCE_DIR}/packaging/debian")

# The package's own changelog says which packaging of this version it is; both must mean the same version.
file(STRINGS "${debian}/changelog" newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^postern \\(([0-9.]+)-([0-9]+)\\) " OR NOT CMAKE_MATCH_1 STREQUAL PROJECT_VERSION)
    message(FATAL_ERROR "packaging/debian/changelog begins with '${newest}', and this is version ${PROJECT_VERSION}")
endif()
set(CPACK_DEBIAN_PACKAGE_RELEASE "${CMAKE_MATCH_2}")
file(STRINGS "${debian}/changelog" signed REGEX "^ -- ")
list(GET signed 0 signed)
string(REGEX REPLACE "^ -- (.*)  .*$" "\\1" CPACK_PACKAGE_CONTACT "${signed}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${debian}/changelog" "${debian}/description.txt")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME postern)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_VENDOR "The Postern authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "gateway from Internet mail to legacy mail systems")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/package")
# All of one build in one package, under /usr whatever the build's own prefix is; what belongs into /etc is absolute.
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
# Not by the umask of who makes it.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
# Compressed manual pages, changelogs, copyright, bill of materials: what only a Debian package has.
set(CPACK_PRE_BUILD_SCRIPTS "${debian}/stage.cmake")
set(CPACK_POSTERN_SOURCE "${CMAKE_SOURCE_DIR}")

file(READ "${debian}/description.txt" CPACK_DEBIAN_PACKAGE_DESCRIPTION)
string(STRIP "${CPACK_DEBIAN_PACKAGE_DESCRIPTION}" CPACK_DEBIAN_PACKAGE_DESCRIPTION)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# kill, which the unit reloads with; for the user and the folders, where another init runs, the parts of systemd that make them.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "procps, systemd | systemd-standalone-sysusers | systemd-sysusers, systemd | systemd-standalone-tmpfiles | systemd-tmpfiles")
# Hosts that it verifies by public authorities, and the time zones of adapters' hours.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "logrotate")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${debian}/conffiles;${debian}/postinst;${debian}/prerm;${debian}/postrm")

include(CPack)
