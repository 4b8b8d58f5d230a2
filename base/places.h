#pragma once
// Where things stand on this system when nobody says otherwise. The program knows them by their places on a
// Unix system; where there are others, each has one that stands for it:
//
//     /etc/postern              %ProgramData%\Postern            configuration, adapters.d, tables, secrets
//     /var/lib/postern          %ProgramData%\Postern\data       the store
//     /run/postern              %ProgramData%\Postern\run        what goes with a restart
//     /var/spool/postern        %ProgramData%\Postern\spool      pickup folders
//     /var/log/postern          %ProgramData%\Postern\log        the log, where no service manager keeps it
//     /usr/lib/postern          lib, beside the program          adapters from outside
//     /usr/share/doc/postern    doc, beside the program          documents and examples
//     /usr/share/zoneinfo       zoneinfo, beside the program     the system's own have another form
//     /                         the program's folder             where commands run
//     /srv                      %ProgramData%\Postern\out        folders of legacy systems, in examples
//
// %ProgramData% is asked of the system (FOLDERID_ProgramData), not of the environment. Thread rule: any
// thread.

namespace postern {

// The place here for that one: the same text on a Unix system. Also for lists with a place in their first
// line. What has no place of its own here stays as it is. The answer lives as long as the program.
const char* placeFor(const char* unixPlace);

// The environment of a command that is given none: "PATH=..." with the folders of the system's own programs.
const char* plainEnvironment();

}  // namespace postern
