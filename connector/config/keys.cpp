#include "connector/config/keys.h"

#include <algorithm>

#include "base/places.h"
#include "base/text.h"

namespace postern::config {

using adapters::SettingType;

namespace {

constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::int64_t kKiB = 1 << 10, kMiB = 1 << 20, kGiB = 1 << 30;

// One line of the table each; `sample` stands in the example file.
Key text(const char* section, const char* name, const char* fallback, const char* help,
         const char* sample = nullptr) {
    return {section, {name, SettingType::Text, fallback, help}, sample};
}
const char* place(const char* path) {
    return path == nullptr ? nullptr : placeFor(path);
}
Key path(const char* section, const char* name, const char* fallback, const char* help,
         const char* sample = nullptr) {
    return {section, {name, SettingType::Path, place(fallback), help}, place(sample)};
}
Key choice(const char* section, const char* name, const char* fallback, std::vector<const char*> choices,
           const char* help, const char* sample = nullptr) {
    return {section, {name, SettingType::Choice, fallback, help, std::move(choices)}, sample};
}
Key count(const char* section, const char* name, const char* fallback, std::int64_t least, std::int64_t most,
          const char* help) {
    return {section, {name, SettingType::Integer, fallback, help, {}, least, most}, nullptr};
}
Key size(const char* section, const char* name, const char* fallback, std::int64_t least, std::int64_t most,
         const char* help) {
    return {section, {name, SettingType::Size, fallback, help, {}, least, most}, nullptr};
}
Key share(const char* section, const char* name, const char* fallback, std::int64_t most, const char* help) {
    return {section, {name, SettingType::Size, fallback, help, {}, kLeastOfShares, most}, nullptr};
}
Key flag(const char* section, const char* name, const char* fallback, const char* help) {
    return {section, {name, SettingType::Boolean, fallback, help}, nullptr};
}
Key list(const char* section, const char* name, const char* fallback, const char* help) {
    return {section, {name, SettingType::List, fallback, help}, nullptr};
}
Key duration(const char* section, const char* name, const char* fallback, std::int64_t least,
             std::int64_t most, const char* help) {
    return {section, {name, SettingType::Duration, fallback, help, {}, least, most}, nullptr};
}

// Keep the order: the example file and `postern config show` follow it.
const std::vector<Key> kKeys = {
    // The top of the file.
    text("", "hostname", "",
         "Our name in greetings, Received lines and file names; default: the machine's name.",
         "gw.example.org"),
    path("", "store", nullptr, "Folder of the message store; only the service's user needs it.",
         "/var/lib/postern"),
    path("", "control_socket", "",
         "Unix socket for operators' commands; default: control.sock in the store's folder.",
         "/run/postern/control.sock"),
    choice("", "log_level", "info", {"error", "warning", "notice", "info", "debug"},
           "The least severe lines that are still logged."),
    path("", "adapter_folder", "/usr/lib/postern/adapters",
         "Folder of shared libraries with more kinds of adapter; it may be missing."),
    count("", "sessions", "2000", 1, 100'000,
          "The most sessions at once, of all listeners together; each needs a file handle."),
    duration("", "lease", "60s", 100, kDay,
             "How long a watcher may hold an item before others take it for lost; renewed during long work."),
    duration("", "poll_interval", "5s", 10, kHour,
             "How often watchers look for work that nobody told them of."),
    duration("", "retention", "7d", 0, 3650 * kDay,
             "How long exported, failed and deleted mail stays readable before the purge."),
    duration("", "stop_limit", "20s", kSecond, kHour,
             "The longest time from the request to stop until the service has ended."),
    share("", "reserve", "64 MiB", 1024 * kGiB,
          "Free space on the store's volume below which senders are told to wait (452): a size, or \"5%\"."),
    share("", "warn_below", "1 GiB", 1024 * kGiB,
          "Free space below which 'postern status' and the log warn, on adapters' volumes too: a size, or "
          "\"10%\"."),
    size("", "ballast", "80 MiB", 0, 64 * kGiB,
         "Space kept in a file and given away when the disk is full all the same, so that queued mail goes "
         "on; 0: none."),
    size("", "inline_body", "64 KiB", 0, 16 * kMiB,
         "Mail up to this size stands in the database, larger mail in a file beside it."),
    count("", "hold_after_deaths", "5", 1, 1000,
          "Workers that may die over one item before it is set aside as held."),
    count("", "hops", "100", 10, 10'000,
          "Received lines a mail may have before it is refused as looping; RFC 5321 asks for 100."),
    size("", "submit_message_size", "50 MiB", kKiB, 16 * kGiB,
         "The largest mail that 'postern submit' takes."),

    // One [[listener]] for each address mail comes in by.
    text("listener", "name", "",
         "In logs and in each message's source; default: the protocol, numbered from the second on.", "smtp"),
    choice("listener", "protocol", nullptr, {"smtp", "lmtp"}, "smtp, or lmtp for a mail server beside us.",
           "smtp"),
    text("listener", "address", nullptr,
         "\"127.0.0.1:2525\", \"[::1]:25\" or, with lmtp, \"unix:/run/postern/lmtp.sock\".",
         "127.0.0.1:2525"),
    size("listener", "message_size", "50 MiB", kKiB, 16 * kGiB, "The largest mail, as announced by SIZE."),
    count("listener", "recipients", "1000", 1, 1'000'000, "The most recipients of one mail."),
    size("listener", "command_line", "2 KiB", 512, kMiB, "The longest command line."),
    size("listener", "text_line", "64 KiB", 1000, kGiB,
         "The longest line of a mail; RFC 5321 says 1000 bytes, real mail says more."),
    count("listener", "sessions", "1000", 1, 100'000, "The most sessions at once."),
    count("listener", "sessions_per_address", "50", 1, 100'000,
          "The most sessions at once from one address."),
    count("listener", "errors", "20", 1, 1'000'000, "Refused commands before a session is closed."),
    count("listener", "idle_commands", "100", 1, 1'000'000,
          "NOOP, RSET and the like between two mails before they count as errors."),
    duration("listener", "first_command", "1m", kSecond, kDay,
             "From the connection to the first command, the TLS handshake included."),
    duration("listener", "idle", "5m", kSecond, kDay, "The longest silence of a client."),
    duration("listener", "total", "1h", kSecond, 7 * kDay, "The longest session."),
    choice("listener", "tls", "off", {"off", "starttls", "required", "implicit"},
           "starttls offers it, required takes no mail before it, implicit begins with it (port 465)."),
    path("listener", "certificate", "",
         "PEM file with the certificate and its chain; read again by a reload."),
    path("listener", "key", "", "PEM file with the certificate's private key."),
    path("listener", "client_ca", "", "PEM file of the authorities that sign clients' certificates."),
    list("listener", "client_certificates", "",
         "Client certificates whose holders may send: \"sha256:HEX\" fingerprints, or common names of those "
         "that client_ca has signed."),
    choice(
        "listener", "auth", "off", {"off", "offered", "required"},
        "Logging on with an account, under TLS only: offered lets the account's holder send from anywhere, "
        "required asks everybody."),
    list("listener", "networks", "127.0.0.0/8\n::1/128",
         "Clients that may send without logging on; \"0.0.0.0/0\" and \"::/0\" are everybody."),
    flag("listener", "submission", "false",
         "Mail comes from people's programs (RFC 6409): a missing Date or Message-ID is added."),
    flag("listener", "relaxed_addresses", "false",
         "Take blanks in addresses without quotes, as old gateways send them; they are kept with quotes."),
    text("listener", "socket_mode", "0660", "Permission bits of a Unix socket, in octal."),
    text("listener", "socket_owner", "", "\"user:group\" of a Unix socket; empty: the service's own."),
    duration("listener", "duplicates_within", "0s", 0, 30 * kDay,
             "Mail with the same sender, recipients, Message-ID and content as one accepted so recently is "
             "answered with 250 and not stored again; 0s: only the exact rule of RFC 1047."),

    // One [[pickup]] for each folder that programs put mail into.
    text("pickup", "name", "", "In logs and in each message's source; default: pickup, numbered.", "pickup"),
    path("pickup", "folder", nullptr, "Its *.eml files are taken, and removed once stored.",
         "/var/spool/postern/pickup"),
    path("pickup", "set_aside", "",
         "Where files go that can not be taken, each with its reason beside it; default: bad in the folder."),
    duration("pickup", "interval", "2s", 100, kDay, "How often the folder is looked at."),
    duration("pickup", "settle", "10s", 0, kDay,
             "A file is taken when it has not changed for so long; 0s where files are only renamed in."),
    size("pickup", "message_size", "50 MiB", kKiB, 16 * kGiB, "The largest mail taken."),

    // One [adapter.NAME], or a file adapters.d/NAME.toml, for each way out; the kind adds its own settings.
    text("adapter", "kind", nullptr, "What it writes: one of 'postern adapter kinds'."),
    count("adapter", "watchers", "2", 1, 256, "Threads that export for this adapter."),
    count("adapter", "batch", "512", 1, 1024,
          "The most items a watcher takes at once; most kinds take 64 at most."),
    choice("adapter", "on_doubt", "hold", {"hold", "resend", "receiver_dedupes"},
           "When nobody can tell whether a cut-off export took effect: hold it for a person, resend it and "
           "risk a duplicate, or resend it to a receiver that drops the second by its Message-ID."),
    duration("adapter", "retry_first", "1m", 10, kDay,
             "The wait after the first failed attempt; it doubles with each further one."),
    duration("adapter", "retry_longest", "1h", 10, 30 * kDay, "The longest wait between two attempts."),
    duration("adapter", "maximum_age", "5d", kSecond, 365 * kDay,
             "From acceptance until an item that could not be exported fails."),

    list("adapter", "retry_rules", "",
         "Back-off per class of error, \"CLASS FIRST LONGEST [AGE]\", the first that fits; else the three "
         "above."),
    list("adapter", "send_windows", "",
         "When it may export, \"Mon-Fri 08:00-18:00\", \"Sat,Sun 22:00-06:00\"; empty: always."),
    text("adapter", "time_zone", "UTC", "Of the send windows: an IANA name such as Europe/Berlin."),
    text("adapter", "rate", "", "The most items in a time, \"100/1m\"; empty: no limit."),
    size("adapter", "message_size", "0 B", 0, 16 * kGiB,
         "Larger mail is refused, at MAIL or RCPT when the sender says its size; 0: no limit."),
    text("adapter", "fallback", "", "The adapter that takes over items after fallback_after attempts."),
    count("adapter", "fallback_after", "0", 0, 1'000'000, "Failed attempts until the fallback; 0: never."),
    duration(
        "adapter", "capture", "0s", 0, 365 * kDay,
        "For support: how long a copy of each artifact is kept, as the legacy side got it; 0s: no copies."),
    size("adapter", "capture_limit", "100 MiB", kKiB, 1024 * kGiB,
         "The most bytes of such copies; the oldest go first."),

    // [reports]: who is told what became of a mail (RFC 3461, 3464).
    text("reports", "adapter", "",
         "The adapter that carries delivery reports; empty: the routes decide by the sender's address."),
    text("reports", "from", "",
         "The author of reports; default: Mail Delivery System, at \"postmaster\", else postmaster@ our "
         "hostname."),
    text("reports", "postmaster", "",
         "This address gets a copy of every failure report, and those about mail without a sender."),
    duration("reports", "delay_after", "4h", 0, 365 * kDay,
             "When a sender is told that mail still waits; 0s: never."),
    size("reports", "return_limit", "50000 B", 0, 16 * kMiB,
         "Mail up to this size comes back whole in a failure report, larger mail as its header."),

    // [http]: the operators' page, interface and metrics.
    text("http", "address", "",
         "Where it listens: \"127.0.0.1:8025\" or \"unix:/run/postern/http.sock\", of this machine only; "
         "empty: "
         "not at all.",
         "127.0.0.1:8025"),
    choice("http", "anonymous", "nothing", {"nothing", "look"},
           "What those may do who have not logged on: nothing, or look at everything (as a viewer)."),
    list("http", "hosts", "", "Further host names that browsers call us by, when a proxy stands before us."),

    // [chat]: the queue in any IRC client.
    text("chat", "address", "",
         "Where it listens in the clear: \"127.0.0.1:6667\" or \"unix:/run/postern/chat.sock\", of this "
         "machine only; empty: not this way.",
         "127.0.0.1:6667"),
    choice("chat", "role", "admin", {"viewer", "operator", "admin"},
           "The most that anybody may who comes by \"address\", whatever his account may."),
    text("chat", "tls_address", "",
         "Where it listens with TLS, also for other machines: \"0.0.0.0:6697\"; empty: not this way."),
    choice("chat", "tls_role", "admin", {"viewer", "operator", "admin"},
           "The most that anybody may who comes by \"tls_address\"."),
    path("chat", "certificate", "", "PEM file with the certificate and its chain; read again by a reload."),
    path("chat", "key", "", "PEM file with the certificate's private key."),
    text("chat", "channel", "#queue", "The channel that tells what becomes of the mail and takes commands."),
    text("chat", "nick", "postern", "Who speaks there for the service; nobody else can have this nick."),
    count("chat", "replay", "50", 0, 1000, "How many of the last events are told to who enters the channel."),
    count("chat", "clients", "256", 1, 10'000, "The most connections at once; each needs a file handle."),
    duration("chat", "registration", "30s", kSecond, kHour,
             "From the connection until somebody has logged on, the TLS handshake included."),
    duration("chat", "idle", "2m", kSecond, kDay,
             "Silence of a client before it is asked for a sign of life (PING)."),
    duration("chat", "probe", "1m", kSecond, kDay,
             "How long the first PING, and then the second, may stay without an answer."),

    // One [[table]] for each file of address pairs; they are asked before the routes.
    text("table", "name", nullptr, "In logs and in 'postern route test'.", "people"),
    path("table", "file", nullptr,
         "CSV in UTF-8, a line \"internet address,legacy address\" each; read again by a reload.",
         "/etc/postern/people.csv"),
    text("table", "adapter", nullptr, "The adapter that takes the table's recipients.", "postoffice"),

    // The [[rule]]s are read from the top: the first all of whose conditions hold decides.
    text("rule", "name", nullptr, "In logs and in 'postern route test'.", "no-big-mail"),
    text("rule", "sender", "", "\"user@domain\", \"*@domain\", \"*@*.domain\", or \"<>\"."),
    text("rule", "recipient", "", "As in a route."),
    text("rule", "source", "", "The name of a listener or pickup, or submit."),
    {"rule",
     {"larger_than",
      SettingType::Size,
      "0 B",
      "Mail of more bytes than this; 0: of any size.",
      {},
      0,
      1024 * kGiB},
     "10 MiB"},
    text("rule", "header", "", "\"Subject: *lottery*\": a field that matches; * and ? as in file names."),
    choice("rule", "action", nullptr, {"accept", "reject", "hold", "route"},
           "accept ends the rules; hold stores the mail for a person to release; route leads to an adapter.",
           "hold"),
    text("rule", "text", "", "Told to the sender with reject, to the operator with hold."),
    text("rule", "adapter", "", "With route: the adapter; its first route gives the legacy name."),

    // The [[route]]s are read from the top: the first whose pattern takes a recipient decides.
    text("route", "recipient", nullptr, "\"user@domain\", \"*@domain\", \"*@*.domain\" or \"*\".",
         "*@postoffice.example"),
    text("route", "adapter", nullptr, "The name of the adapter that takes them.", "postoffice"),
    text("route", "legacy", "{address}",
         "The name on the legacy side, made of {local}, {domain}, {address} and the tokens %g %s %i %d %m, "
         "%3s, %rxy, %e (the address, encapsulated); \"{{\" is a brace, \"%%\" a percent sign.",
         "{local}"),
    choice("route", "use", "both", {"both", "recipients", "replies"},
           "recipients: nobody answers to these names; replies: the route takes no mail, it only says what "
           "the legacy side types to write to such addresses."),
};

std::string written(std::string_view section) {
    if (section.empty()) return "the top of the file";
    if (section == "adapter") return "[adapter.NAME]";
    if (section == "reports" || section == "http" || section == "chat")
        return "[" + std::string(section) + "]";
    return "[[" + std::string(section) + "]]";
}

// Letters to add, drop, change or swap with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                   cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::span<const Key> keys() {
    return kKeys;
}

std::vector<const adapters::Setting*> keysOf(std::string_view section) {
    std::vector<const adapters::Setting*> found;
    for (const Key& key : kKeys)
        if (key.section == section) found.push_back(&key.setting);
    return found;
}

std::vector<std::string> sectionsWith(std::string_view name) {
    std::vector<std::string> found;
    for (const Key& key : kKeys)
        if (name == key.setting.key) found.push_back(written(key.section));
    return found;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    constexpr std::size_t kLongest = 64;  // nobody means a key by a longer word, and the work is quadratic
    if (word.empty() || word.size() > kLongest) return {};
    std::string_view best;
    std::size_t least = kLongest;
    for (const std::string_view candidate : known) {
        if (candidate.size() > kLongest) continue;
        const std::size_t changes = distance(lowerAscii(word), lowerAscii(candidate));
        // More changes than one in three letters make another word.
        const std::size_t most = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
        if (changes < least && changes <= most && changes < std::min(word.size(), candidate.size())) {
            least = changes;
            best = candidate;
        }
    }
    return best;
}

std::string didYouMean(std::string_view word, std::span<const std::string_view> known) {
    const std::string_view meant = nearest(word, known);
    return meant.empty() ? "" : "; did you mean \"" + std::string(meant) + "\"?";
}

}  // namespace postern::config
