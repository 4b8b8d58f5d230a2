#pragma once
// The command line of posternd and how it ends, in one place: its --help and posternd(8) are made from here.

namespace postern {

struct PosterndOption {
    const char* name;      // without the hyphens
    const char* letter;    // the short form; nullptr: none
    const char* argument;  // nullptr: none
    const char* help;
};
inline constexpr PosterndOption kPosterndOptions[] = {
    {"config", "c", "FILE", "the configuration file"},
    {"help", "h", nullptr, "show this help and end"},
    {"version", "V", nullptr, "show the version and end"},
};

// Those that the library it stands on brings; without a service manager they have their use.
inline constexpr PosterndOption kPosterndInherited[] = {
    {"daemon", nullptr, nullptr, "leave the terminal and run in the background"},
    {"umask", nullptr, "MASK", "with --daemon: the permission bits that no new file gets, in octal"},
    {"pidfile", nullptr, "FILE", "write the process's number into this file"},
};

struct PosterndExit {
    int status;  // of sysexits(3)
    const char* meaning;
};
inline constexpr PosterndExit kPosterndExits[] = {
    {0, "it was asked to stop, and stopped"},
    {64, "the command line is wrong"},
    {69, "what it needs is not usable now"},
    {70, "a fault in this program"},
    {74, "the store is damaged, or can not be read or written, or its disk is full"},
    {75, "another process has the store: try again later"},
    {77, "not permitted to this user"},
    {78, "the configuration is wrong, or what it names is not there"},
};

}  // namespace postern
