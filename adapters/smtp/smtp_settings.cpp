#include "adapters/smtp/smtp_settings.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "net/system_sockets.h"

namespace postern::adapters {

namespace {

constexpr std::size_t kLongestSocketPath = 107;  // sockaddr_un, without its end

Error wrong(const char* key, const std::string& text) {
    return fail(Errc::Invalid, std::string(key) + ": " + text);
}

// A name for EHLO or a host: letters, digits, and what numeric addresses are made of.
bool plainHost(std::string_view text) {
    return !text.empty() && text.size() <= 255 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(".-_:[]").find(c) != std::string_view::npos;
    });
}

SmtpTls tlsOf(const std::string& word) {
    if (word == "none") return SmtpTls::None;
    if (word == "required") return SmtpTls::Required;
    return word == "implicit" ? SmtpTls::Implicit : SmtpTls::Opportunistic;
}

SmtpAuth authOf(const std::string& word) {
    if (word == "plain") return SmtpAuth::Plain;
    if (word == "login") return SmtpAuth::Login;
    return word == "cram-md5" ? SmtpAuth::CramMd5 : SmtpAuth::Auto;
}

Result<std::vector<std::string>> fingerprintsOf(const Settings& settings) {
    std::vector<std::string> found;
    for (const std::string& each : settings.list("fingerprint")) {
        std::string digits = lowerAscii(each);
        if (digits.starts_with("sha256:")) digits.erase(0, 7);
        digits.erase(std::remove(digits.begin(), digits.end(), ':'), digits.end());
        if (digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
            return wrong("fingerprint", "'" + each + "' is not \"sha256:\" and 64 hex digits");
        found.push_back("sha256:" + digits);
    }
    return found;
}

Result<void> readHosts(const Settings& settings, SmtpPlan& plan) {
    for (const std::string& text : settings.list("hosts")) {
        POSTERN_LET(host, smtpHost(text, static_cast<int>(settings.integer("port"))));
        plan.hosts.push_back(std::move(host));
    }
    if (plan.hosts.empty()) return wrong("hosts", "name at least one, as in [\"mail.old.example\"]");
    return {};
}

Result<void> readLogOn(const Settings& settings, SmtpPlan& plan) {
    plan.auth = authOf(settings.text("auth"));
    plan.username = settings.text("username");
    plan.passwordFile = settings.text("password_file");
    plan.authWithoutTls = settings.boolean("auth_without_tls");
    if (plan.username.empty() != plan.passwordFile.empty())
        return wrong(plan.username.empty() ? "username" : "password_file",
                     "username and password_file go together");
    if (!plan.username.empty() && plan.tls == SmtpTls::None && !plan.authWithoutTls)
        return wrong("tls",
                     "a password is not sent in the clear: choose required, or set auth_without_tls = true");
    if (!plan.username.empty() && plan.tls == SmtpTls::Opportunistic && !plan.authWithoutTls)
        return wrong("tls",
                     "opportunistic verifies nobody, so whoever answers would get the password: write tls = "
                     "\"required\", with ca_file or fingerprint for a certificate of the host's own; or set "
                     "auth_without_tls = true when anybody may see the password");
    return {};
}

Result<void> readTls(const Settings& settings, SmtpPlan& plan) {
    plan.tls = tlsOf(settings.text("tls"));
    plan.verify = settings.boolean("tls_verify");
    plan.oldTls = settings.boolean("tls_old");
    plan.caFile = settings.text("ca_file");
    plan.serverName = settings.text("server_name");
    if (!plan.serverName.empty() && !plainHost(plan.serverName))
        return wrong("server_name", "'" + plan.serverName + "' is no host's name");
    POSTERN_LET(fingerprints, fingerprintsOf(settings));
    plan.fingerprints = std::move(fingerprints);
    if (plan.tls == SmtpTls::Required || plan.tls == SmtpTls::Implicit) return {};
    const char* unused = !plan.fingerprints.empty() ? "fingerprint"
                         : !plan.caFile.empty()     ? "ca_file"
                                                    : nullptr;
    if (unused == nullptr) return {};
    return wrong(unused, "tls = \"" + settings.text("tls") +
                             "\" verifies nobody, so it would not be looked at: write tls = \"required\" or "
                             "\"implicit\", or take it out");
}

void readPatience(const Settings& settings, SmtpPlan& plan) {
    const auto millis = [&](const char* key) { return Millis(settings.milliseconds(key)); };
    plan.patience = {millis("connect_timeout"), millis("greeting_timeout"), millis("command_timeout"),
                     millis("data_timeout"), millis("final_timeout")};
    plan.keep = millis("keep_connection");
    plan.hostPause = millis("host_pause");
}

}  // namespace

std::string SmtpHost::shown() const {
    if (!socketPath.empty()) return "unix:" + socketPath;
    const bool six = name.find(':') != std::string::npos;
    return (six ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

bool SmtpPlan::ignores(std::string_view keyword) const {
    return std::find(ignored.begin(), ignored.end(), keyword) != ignored.end();
}

Result<SmtpHost> smtpHost(std::string_view text, int port) {
    const std::string said = "'" + std::string(text) + "' ";
    if (text.starts_with("unix:")) {
        if (!net::hasLocalSockets())
            return wrong("hosts",
                         said + "can not be: there are no Unix sockets on this system, say 127.0.0.1:24");
        const std::string path(text.substr(5));
        if (!isAbsolutePath(path) || path.size() > kLongestSocketPath)
            return wrong("hosts", said + "is no absolute path of at most 107 bytes behind \"unix:\"");
        return SmtpHost{"", 0, path};
    }
    SmtpHost host{std::string(text), port, ""};
    const std::size_t colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    const bool bareSix = !bracketed && colon != std::string_view::npos && text.find(':') != colon;
    if (colon != std::string_view::npos && !bareSix && !text.ends_with(']')) {
        const auto number = parseInt(text.substr(colon + 1));
        if (!number || *number < 1 || *number > 65535)
            return wrong("hosts", said + "has no port from 1 to 65535 behind its colon");
        host = {std::string(text.substr(0, colon)), static_cast<int>(*number), ""};
    }
    if (host.name.starts_with('[') && host.name.ends_with(']') && host.name.size() > 2)
        host.name = host.name.substr(1, host.name.size() - 2);
    if (!plainHost(host.name) || host.name.find_first_of("[]") != std::string::npos)
        return wrong("hosts", said + "is no host: write \"name\", \"name:port\" or \"unix:/path\"");
    return host;
}

Result<SmtpPlan> smtpPlan(const AdapterContext& context, const Settings& settings, bool lmtp) {
    SmtpPlan plan;
    plan.lmtp = lmtp;
    POSTERN_TRY(readHosts(settings, plan));
    plan.ownHostname = context.hostname;
    plan.helo = settings.text("helo_name").empty() ? context.hostname : settings.text("helo_name");
    if (!plainHost(plan.helo)) return wrong("helo_name", "'" + plan.helo + "' is no host's name");
    plan.source = settings.text("source_address");
    if (plan.source.find_first_not_of("0123456789abcdefABCDEF.:") != std::string::npos)
        return wrong("source_address", "'" + plan.source + "' is no numeric address");
    POSTERN_TRY(readTls(settings, plan));
    POSTERN_TRY(readLogOn(settings, plan));
    for (const std::string& keyword : settings.list("ignore")) plan.ignored.push_back(upperAscii(keyword));
    plan.maxSize = settings.integer("max_size");
    plan.mostRecipients = static_cast<int>(settings.integer("most_recipients"));
    readPatience(settings, plan);
    POSTERN_LET(format, messageFormat(settings));
    plan.format = std::move(format);
    return plan;
}

std::vector<Setting> smtpSettings(bool lmtp) {
    using enum SettingType;
    constexpr std::int64_t kSecond = 1'000, kDay = 86'400'000;
    std::vector<Setting> own = {
        {"hosts", List, nullptr,
         lmtp ? "Where mail goes, in order of preference: \"unix:/path\", \"name\" or \"name:port\"."
              : "Where mail goes, in order of preference: \"name\" or \"name:port\"; the next one on any "
                "trouble."},
        {"port", Integer, lmtp ? "24" : "25", "The port of hosts that name none.", {}, 1, 65535},
        {"helo_name", Text, "", "What we call ourselves; empty: our hostname."},
        {"source_address", Text, "", "The numeric address to call from; empty: the system's choice."},
        {"tls",
         Choice,
         lmtp ? "none" : "opportunistic",
         "none; opportunistic: when offered, verifying nobody, so no password; required: STARTTLS or no "
         "mail; "
         "implicit: from the first byte.",
         {"none", "opportunistic", "required", "implicit"}},
        {"tls_verify", Boolean, "true", "With required and implicit: the certificate must be trusted."},
        {"ca_file", Path, "", "Who signs the hosts' certificates, in PEM form; empty: the system's list."},
        {"server_name", Text, "", "The name in the hosts' certificate, where it is not the host's own."},
        {"fingerprint", List, "", "Certificates trusted whoever signed them: \"sha256:\" and hex digits."},
        {"tls_old", Boolean, "false",
         "Also TLS 1.0 and 1.1 and weak ciphers, for hosts that know no others."},
        {"username", Text, "", "Log on as this user; empty: do not log on."},
        {"password_file", Path, "", "A file whose first line is the password."},
        {"auth",
         Choice,
         "auto",
         "The mechanism; auto: the best that is offered.",
         {"auto", "plain", "login", "cram-md5"}},
        {"auth_without_tls", Boolean, "false", "Log on although the connection is not encrypted."},
        {"ignore", List, "", "Keywords of the hosts' EHLO answer that are not true: \"8BITMIME\", \"SIZE\"."},
        {"max_size", Size, "0 B", "Larger mail is refused; 0: what the host says."},
        {"most_recipients", Integer, "100", "Recipients per mail; 0 means no limit.", {}, 0, 1000000},
        {"keep_connection",
         Duration,
         "5s",
         "How long a connection without work stays open; 0s: one connection for each mail.",
         {},
         0,
         240 * kSecond},
        {"host_pause", Duration, "5m", "How long a host in trouble is asked last.", {}, 0, kDay},
        {"connect_timeout", Duration, "30s", "For the connection.", {}, kSecond, 600 * kSecond},
        {"greeting_timeout", Duration, "5m", "For the host's greeting.", {}, kSecond, 3600 * kSecond},
        {"command_timeout", Duration, "5m", "For the answer to a command.", {}, kSecond, 3600 * kSecond},
        {"data_timeout", Duration, "3m", "For a piece of text to be taken.", {}, kSecond, 3600 * kSecond},
        {"final_timeout",
         Duration,
         "10m",
         "For the answer to the end of the text; when it passes, the item is in doubt.",
         {},
         kSecond,
         3600 * kSecond},
    };
    return messageSettings(std::move(own));
}

}  // namespace postern::adapters
