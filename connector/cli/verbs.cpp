#include "connector/cli/verbs.h"

#include <ostream>

#include "base/text.h"
#include "connector/config/load.h"

namespace postern::cli {

namespace {

constexpr VerbGroup kGroups[] = {
    {"queue", "look at the queue and change it"},
    {"adapter", "the ways out"},
    {"route", "who gets what"},
    {"address", "names on both sides"},
    {"account", "who may log on"},
    {"config", "the configuration"},
    {"db", "the store"},
    {"service", "the entry in Windows' list of services"},
};

constexpr Verb kVerbs[] = {
    {"queue", "list", "items, oldest first: those that are not settled, or what the filters say", setupList},
    {"queue", "summary", "how many items, how large and how old, by adapter and state or by another key",
     setupSummary},
    {"queue", "show", "everything about items: facts, recipients, history", setupShow},
    {"queue", "log", "the history of items", setupLog},
    {"queue", "export", "the mail of items as it came in", setupExport},
    {"queue", "captured", "the copy that was kept of what the legacy side got of an item", setupCaptured},
    {"queue", "hold", "keep ready items back until they are released", setupHold},
    {"queue", "release", "let held items go", setupRelease},
    {"queue", "retry", "try waiting or failed items now", setupRetry},
    {"queue", "bounce", "give items up and tell their senders", setupBounce},
    {"queue", "delete", "give items up; their mail stays readable until the purge", setupDelete},
    {"queue", "resolve", "say what became of items in doubt, after a look at the legacy side", setupResolve},
    {"queue", "move", "give waiting or failed items to another adapter", setupMove},
    {"queue", "requeue", "route waiting or failed items again, by the configuration of now", setupRequeue},
    {"queue", "replay", "export exported items once more, as new items", setupReplay},
    {"", "track", "what became of a mail: every item with its history", setupTrack},
    {"", "watch", "what the service does, as it does it", setupWatch},
    {"", "submit", "take a mail from standard input", setupSubmit},
    {"adapter", "kinds", "what adapters can write, with their settings", setupAdapterKinds},
    {"adapter", "list", "the configured adapters", setupAdapterList},
    {"adapter", "show", "the settings of an adapter, and where each is written", setupAdapterShow},
    {"adapter", "add", "a new adapter, in a file of its own", setupAdapterAdd},
    {"adapter", "set", "change settings of an adapter", setupAdapterSet},
    {"adapter", "unset", "give settings of an adapter their defaults again", setupAdapterUnset},
    {"adapter", "remove", "take an adapter out of the configuration", setupAdapterRemove},
    {"adapter", "test", "whether adapters can deliver now", setupAdapterTest},
    {"adapter", "suspend", "begin nothing of an adapter until it is resumed", setupAdapterSuspend},
    {"adapter", "resume", "end a suspension", setupAdapterResume},
    {"", "convert", "what an adapter would make of a mail, and what would be lost", setupConvert},
    {"route", "list", "rules, tables and routes, in the order in which they are asked", setupRouteList},
    {"route", "test", "where mail to an address would go, and why", setupRouteTest},
    {"address", "lookup", "what an address or a legacy name is on the other side", setupAddressLookup},
    {"address", "export", "the lines of a table", setupAddressExport},
    {"address", "import", "other lines for a table, checked first", setupAddressImport},
    {"account", "add", "a new account; its password is asked for", setupAccountAdd},
    {"account", "list", "all accounts with their roles", setupAccountList},
    {"account", "remove", "take an account away", setupAccountRemove},
    {"account", "passwd", "give an account another password", setupAccountPasswd},
    {"config", "check", "all problems of the configuration, with their places", setupConfigCheck},
    {"config", "show", "the configuration with all defaults filled in", setupConfigShow},
    {"config", "example", "a commented example with every key", setupConfigExample},
    {"config", "defaults", "every key with its default", setupConfigDefaults},
    {"db", "check", "whether the store is whole", setupDbCheck},
    {"db", "backup", "the whole store into one file, while mail flows", setupDbBackup},
    {"db", "restore", "a store from such a file; nothing of it goes out by itself", setupDbRestore},
    {"db", "vacuum", "give unused space of the store back", setupDbVacuum},
    {"service", "install", "put posternd onto the list of services", setupServiceInstall},
    {"service", "remove", "take it off the list", setupServiceRemove},
    {"service", "start", "start it, and wait until it takes mail", setupServiceStart},
    {"service", "stop", "stop it, and wait until it has stopped", setupServiceStop},
    {"service", "status", "whether it is there and runs, and as whom", setupServiceStatus},
    {"", "status", "the service, its adapters and their queues", setupStatus},
    {"", "top", "the same again and again, with what comes and goes", setupTop},
    {"", "reload", "make the service read its configuration again", setupReload},
    {"", "man", "the manual pages, made from the same tables as this help", setupMan},
    {"", "completion", "what a shell needs to complete command lines", setupCompletion},
    {"", "complete", "how the words of a command line could go on, for the shells", setupComplete, true},
};

}  // namespace

std::span<const VerbGroup> verbGroups() {
    return kGroups;
}

std::span<const Verb> verbs() {
    return kVerbs;
}

Form Run::form() const {
    if (json) return Form::Json;
    return console.terminal ? Form::Table : Form::Tabs;
}

void Run::complain(const std::string& text) const {
    console.err << "postern: " << escapeLine(text, 4000) << "\n";
}

int Run::fails(const Error& error) const {
    complain(error.text);
    return exitFor(error.code);
}

std::optional<config::Config> Run::config() const {
    config::Loaded loaded = config::load(configPath);
    for (const config::Problem& problem : loaded.problems)
        complain(config::placeText(problem.place) + ": " + problem.text);
    return std::move(loaded.config);
}

int exitFor(Errc code) {
    switch (code) {
        case Errc::Invalid:
        case Errc::TooLarge: return kExitData;
        case Errc::NotFound: return kExitNoInput;
        case Errc::Denied: return kExitPermission;
        case Errc::Busy:
        case Errc::NoSpace:
        case Errc::Stopped: return kExitTemporary;
        case Errc::Io: return kExitIo;
        case Errc::Exists:
        case Errc::Corrupt:
        case Errc::Unavailable: return kExitUnavailable;
        case Errc::Internal: break;
    }
    return kExitSoftware;
}

}  // namespace postern::cli
