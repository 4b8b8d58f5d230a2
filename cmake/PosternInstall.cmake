# Where things go. Two components make the package: "postern" (the programs and all that belongs to them) and "headers" (what adapters
# from outside the tree are built with, docs/ADAPTERS.md). "system" is what stands outside of the prefix, in /etc.
#   cmake --install BUILD --prefix /usr/local --component postern
#   cmake --install BUILD --prefix /usr/local --component headers
include(GNUInstallDirs)

install(FILES include/postern/adapter.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/postern" COMPONENT headers)

install(TARGETS posternd DESTINATION "${CMAKE_INSTALL_SBINDIR}" COMPONENT postern)
install(TARGETS postern postern-sendmail DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT postern)
# The same program by its other name; the build makes the link (connector/cli).
install(FILES "${CMAKE_BINARY_DIR}/connector/cli/postern-mailq" DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT postern)
# posternd looks for it beside itself, then in ../libexec/postern: adapters/command/runner.h.
install(TARGETS postern-runner DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/postern" COMPONENT postern)

# Made by the build (connector/cli), where it can run what it made.
if(POSTERN_MANUAL)
    install(DIRECTORY "${CMAKE_BINARY_DIR}/manual/installed/" DESTINATION "${CMAKE_INSTALL_MANDIR}" COMPONENT postern)
endif()
install(FILES packaging/completion/postern.bash DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME postern COMPONENT postern)
install(FILES packaging/completion/_postern DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" COMPONENT postern)
install(FILES packaging/completion/postern.fish DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT postern)

# The units name the programs by their full paths, which only the installation knows.
install(CODE "set(unit_source \"${CMAKE_SOURCE_DIR}/packaging/systemd/postern.service\")
    set(unit_folder \"${CMAKE_BINARY_DIR}/generated/units\")" COMPONENT postern)
install(CODE [[
    file(READ "${unit_source}" unit_text)
    string(REPLACE "/usr/sbin/posternd" "${CMAKE_INSTALL_PREFIX}/sbin/posternd" unit_text "${unit_text}")
    string(REPLACE "/usr/share/doc/postern" "${CMAKE_INSTALL_PREFIX}/share/doc/postern" unit_text "${unit_text}")
    file(WRITE "${unit_folder}/postern.service" "${unit_text}")
    file(INSTALL "${unit_folder}/postern.service" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system")
]] COMPONENT postern)
install(FILES packaging/systemd/postern.socket DESTINATION lib/systemd/system COMPONENT postern)
install(FILES packaging/systemd/postern.sysusers DESTINATION lib/sysusers.d RENAME postern.conf COMPONENT postern)
install(FILES packaging/systemd/postern.tmpfiles DESTINATION lib/tmpfiles.d RENAME postern.conf COMPONENT postern)
install(FILES packaging/systemd/postern.logrotate DESTINATION /etc/logrotate.d RENAME postern COMPONENT system)

# What the first configuration is made of; documents and examples stand as in the sources, so that their links lead somewhere.
install(FILES packaging/config/first.toml DESTINATION "${CMAKE_INSTALL_DATADIR}/postern" COMPONENT postern)
install(FILES README.md CONTRIBUTING.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT postern)
install(DIRECTORY docs DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT postern)
install(DIRECTORY examples/adapter DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" COMPONENT postern)
install(FILES packaging/config/postern.toml DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples" COMPONENT postern)
install(DIRECTORY packaging/config/examples/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples/adapters" COMPONENT postern)
install(DIRECTORY packaging/systemd/examples/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples/systemd" COMPONENT postern)
install(DIRECTORY packaging/monitoring/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples/monitoring" COMPONENT postern)
