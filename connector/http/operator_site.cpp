#include "connector/http/operator_site.h"

#include <algorithm>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "connector/admin/metrics.h"
#include "connector/admin/watch.h"
#include "connector/admin/wire.h"
#include "connector/http/assets.h"
#include "queue/inspect.h"
#include "queue/operate.h"
#include "store/messages.h"

namespace postern::http {

namespace {

constexpr const char* kCookie = "postern_session";
constexpr std::string_view kRun = "/api/run/", kMail = "/api/mail/";
constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::int64_t kMostRows = 5000;  // of one answer; a change of more says how many more
constexpr Millis kBeat{10'000};  // between comments in a quiet stream: proxies and we see that it lives

constexpr std::pair<const char*, const char*> kSecurity[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

int statusFor(Errc code) {
    switch (code) {
        case Errc::Invalid: return 400;
        case Errc::TooLarge: return 413;
        case Errc::Denied: return 403;
        case Errc::NotFound: return 404;
        case Errc::Exists: return 409;
        case Errc::Busy:
        case Errc::NoSpace:
        case Errc::Stopped:
        case Errc::Unavailable: return 503;
        default: return 500;
    }
}

HttpAnswer refusal(int status, const Error& error) {
    HttpAnswer answer;
    answer.status = status;
    answer.body = "{\"error\":" + admin::jsonString(error.text) +
                  ",\"code\":" + admin::jsonString(errcName(error.code)) + "}\n";
    return answer;
}

HttpAnswer refusal(const Error& error) {
    return refusal(statusFor(error.code), error);
}

HttpAnswer plain(int status, std::string text) {
    return {status, std::string(kPlain), {}, std::move(text), {}};
}

HttpAnswer json(std::string text) {
    HttpAnswer answer;
    answer.body = std::move(text);
    return answer;
}

std::string_view cookieOf(const HttpRequest& request) {
    for (const std::string_view part : split(request.header("cookie"), ';')) {
        const std::string_view pair = trim(part);
        const std::string_view name = kCookie;
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with("="))
            return pair.substr(name.size() + 1);
    }
    return "";
}

// Without the port.
std::string_view hostOnly(std::string_view authority) {
    if (authority.starts_with("[")) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

// Set-Cookie of RFC 6265. No Secure: over http on loopback browsers would not send it back.
std::pair<std::string, std::string> cookie(std::string_view value, bool ends) {
    return {"Set-Cookie", std::string(kCookie) + "=" + std::string(value) +
                              "; Path=/; HttpOnly; SameSite=Strict" + (ends ? "; Max-Age=0" : "")};
}

// Of the commands that HTTP carries.
const admin::Command* carriedCommand(std::string_view verb) {
    const admin::Command* command = admin::commandNamed(verb);
    return command == nullptr || command->takesBytes || verb == "watch" ? nullptr : command;
}

Result<std::map<std::string, std::string>> fieldsOf(const HttpRequest& request) {
    if (request.method == "GET") return request.query;
    if (trim(request.body).empty()) return std::map<std::string, std::string>{};
    return admin::parseFields(request.body);
}

// What a browser can not be made to do by a page that is not ours.
Result<void> checkOrigin(const HttpRequest& request) {
    const std::string_view type = request.header("content-type");
    if (!equalsIgnoreCase(trim(type.substr(0, type.find(';'))), "application/json"))
        return fail(Errc::Invalid, "send Content-Type: application/json");
    const std::string_view origin = request.header("origin");
    const auto scheme = origin.find("://");
    if (origin.empty()) return {};  // no browser
    if (scheme == std::string_view::npos ||
        !equalsIgnoreCase(origin.substr(scheme + 3), request.header("host")))
        return fail(Errc::Denied, "this request comes from another page");
    return {};
}

std::string eventText(const admin::Record& row, std::int64_t serial) {
    std::string text = serial > 0 ? "id: " + std::to_string(serial) + "\n" : "";
    return text + "data: " + admin::recordJson(row) + "\n\n";
}

}  // namespace

OperatorSite::OperatorSite(SiteOptions options, std::function<admin::ServiceView()> view, Logins& logins)
    : options_(std::move(options)), view_(std::move(view)), logins_(logins) {}

HttpAnswer OperatorSite::answer(const HttpRequest& request) {
    HttpAnswer answer;
    try {
        answer = calledByOurName(request)
                     ? dispatch(request)
                     : plain(421, "This is not the host that you asked for; see \"hosts\" in [http].\n");
    } catch (const std::exception& error) {
        answer = refusal(fail(Errc::Internal, std::string("unexpected fault: ") + error.what()));
    }
    for (const auto& [name, value] : kSecurity) answer.headers.emplace_back(name, value);
    return answer;
}

bool OperatorSite::calledByOurName(const HttpRequest& request) const {
    const std::string_view host = hostOnly(request.header("host"));
    for (const std::string_view ours : {"localhost", "127.0.0.1", "[::1]", ""})
        if (equalsIgnoreCase(host, ours)) return true;
    return std::any_of(options_.hosts.begin(), options_.hosts.end(),
                       [&](const std::string& each) { return equalsIgnoreCase(host, each); });
}

Result<Person> OperatorSite::whoIs(const HttpRequest& request) const {
    if (const std::string_view token = cookieOf(request); !token.empty())
        if (auto person = logins_.find(token)) return std::move(*person);
    constexpr std::string_view kBasic = "Basic ";
    if (const std::string_view said = request.header("authorization"); said.starts_with(kBasic)) {
        const auto pair = base64Decode(trim(said.substr(kBasic.size())));
        const auto colon = pair ? pair->find(':') : std::string::npos;
        if (colon == std::string::npos) return fail(Errc::Denied, "the Authorization field can not be read");
        return logins_.check(std::string_view(*pair).substr(0, colon),
                             std::string_view(*pair).substr(colon + 1), request.peer);
    }
    return Person{"", options_.anonymousLooks ? std::optional(admin::Role::Viewer) : std::nullopt};
}

HttpAnswer OperatorSite::dispatch(const HttpRequest& request) {
    const bool get = request.method == "GET" || request.method == "HEAD";
    if (!get && request.method != "POST") return plain(405, "GET and POST are understood here.\n");
    if (get)
        for (const Asset& asset : assets())
            if (request.path == asset.path || (request.path == "/" && asset.path == "/index.html"))
                return {200, std::string(asset.type), {}, std::string(asset.bytes), {}};
    if (get && request.path == "/healthz")
        return view_().store.broken() ? plain(503, "the store is broken\n") : plain(200, "ok\n");
    if (get && request.path == "/readyz") return ready();
    if (get && request.path == "/openapi.json") return json(openApi());
    if (!get && request.path == "/api/login") return logOn(request);
    if (!get && request.path == "/api/logout") return logOff(request);
    const auto person = whoIs(request);
    if (!person.ok()) return refusal(person.error().code == Errc::Denied ? 401 : 503, person.error());
    return api(request, *person);
}

HttpAnswer OperatorSite::api(const HttpRequest& request, const Person& person) {
    const bool get = request.method != "POST";
    if (get && request.path == "/api/me")
        return json("{\"name\":" + admin::jsonString(person.name) + ",\"role\":" +
                    (person.role ? admin::jsonString(admin::roleName(*person.role)) : "null") + "}\n");
    if (!person.role) {
        if (!person.name.empty())
            return refusal(fail(Errc::Denied, "this account has none of the roles viewer, operator, admin"));
        HttpAnswer answer = refusal(401, fail(Errc::Denied, "log on first"));
        // Browsers show our own form; a program asks for this.
        if (request.path == "/metrics")
            answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"Postern\"");
        return answer;
    }
    if (get && request.path == "/metrics") {
        const auto text = admin::metricsText(view_());
        if (!text.ok()) return refusal(text.error());
        return {200, "text/plain; version=0.0.4; charset=utf-8", {}, *text, {}};
    }
    if (get && request.path == "/events") return events(request);
    if (get && request.path.starts_with(kMail)) return mail(request.path.substr(kMail.size()));
    if (request.path.starts_with(kRun)) return run(request, person, request.path.substr(kRun.size()));
    return refusal(fail(Errc::NotFound, "there is nothing at " + escapeLine(request.path, 200)));
}

HttpAnswer OperatorSite::run(const HttpRequest& request, const Person& person, const std::string& verb) {
    const admin::Command* command = carriedCommand(verb);
    if (command == nullptr)
        return refusal(404, fail(Errc::NotFound, "there is no command \"" + escapeLine(verb, 60) + "\""));
    if (request.method == "POST") {
        if (const auto ours = checkOrigin(request); !ours.ok()) return refusal(ours.error());
    } else if (command->role != admin::Role::Viewer) {
        return refusal(405, fail(Errc::Invalid, verb + " changes something: POST it"));
    }
    const auto fields = fieldsOf(request);
    if (!fields.ok()) return refusal(fields.error());
    admin::Request wanted;
    wanted.verb = verb;
    wanted.fields.insert(fields->begin(), fields->end());
    wanted.who = person.name.empty() ? "anonymous" : person.name;
    admin::NoBytes none;
    std::string rows;
    std::int64_t given = 0, more = 0;
    const auto done = admin::runCommand(view_(), *person.role, wanted, none, [&](const admin::Record& row) {
        if (request.ending != nullptr && *request.ending)
            return Result<void>(fail(Errc::Stopped, "the service stops; the rows are what was done"));
        if (given < kMostRows)
            rows += (given++ == 0 ? "" : ",\n") + admin::recordJson(row);
        else
            ++more;
        return Result<void>();
    });
    const std::string answered = "\"rows\":[" + rows + "],\"more\":" + std::to_string(more);
    if (command->role != admin::Role::Viewer) {
        LogLine line(done.ok() ? LogEvent::ControlDone : LogEvent::ControlRefused);
        line.with("verb", verb).with("who", wanted.who).with("from", request.peer);
        if (!done.ok()) line.with("error", done.error().text);
    }
    if (done.ok()) return json("{" + answered + "}\n");
    HttpAnswer answer = refusal(done.error());
    answer.body.insert(1, answered + ",");  // what was done before it failed
    return answer;
}

HttpAnswer OperatorSite::events(const HttpRequest& request) const {
    auto wanted = std::make_shared<admin::Request>();
    for (const char* name : {"adapter", "item", "event", "after"})
        if (const auto found = request.query.find(name); found != request.query.end())
            wanted->fields[name] = found->second;
    if (const auto last = request.header("last-event-id"); !last.empty()) wanted->fields["after"] = last;
    const admin::ServiceView view = view_();
    if (view.feed == nullptr) return refusal(fail(Errc::Unavailable, "no events are kept"));
    const auto after =
        wanted->field("after").empty() ? std::optional(view.feed->last()) : parseInt(wanted->field("after"));
    if (!after || *after < 0) return refusal(fail(Errc::Invalid, "after must be the serial of an event"));
    HttpAnswer answer;
    answer.type = "text/event-stream";
    answer.stream = [feed = view.feed, &clock = view.clock, wanted, first = *after](const Send& send) {
        // A serial of the process before this one means nothing here.
        std::int64_t seen = std::min(first, feed->last());
        bool there = send("retry: 3000\n: hello\n\n");
        while (there) {
            const admin::Feed::News news = feed->wait(seen, clock.steady() + kBeat);
            if (news.stopped) return;
            std::string text = news.events.empty() ? ": beat\n\n" : "";
            if (news.missed > 0)
                text += eventText(admin::Record().add("event", "watch.missed").add("count", news.missed), 0);
            for (const admin::FeedEvent& event : news.events) {
                seen = event.serial;
                if (admin::passes(event, *wanted)) text += eventText(admin::feedRow(event), event.serial);
            }
            there = text.empty() || send(text);
        }
    };
    return answer;
}

HttpAnswer OperatorSite::mail(const std::string& item) const {
    const auto id = parseInt(item);
    if (!id || *id <= 0) return refusal(fail(Errc::NotFound, "there is no such item"));
    const admin::ServiceView view = view_();
    std::shared_ptr<ByteSource> bytes;
    const auto read = view.store.read([&](store::ReadSession& session) -> Result<void> {
        POSTERN_LET(row, queue::readItem(session, ItemId{*id}));
        POSTERN_LET(body, store::openBody(session, view.store.folder(), row.message));
        bytes = std::move(body);
        return {};
    });
    if (!read.ok()) return refusal(read.error());
    HttpAnswer answer;
    answer.type = "application/octet-stream";  // a stranger wrote it: no browser shall make something of it
    answer.headers.emplace_back("Content-Disposition", "attachment; filename=\"item-" + item + ".eml\"");
    answer.stream = [bytes](const Send& send) {
        std::string buffer(65536, '\0');
        for (std::int64_t at = 0;;) {
            const auto got = bytes->readAt(at, buffer.data(), buffer.size());
            if (!got.ok() || *got == 0 || !send(std::string_view(buffer).substr(0, *got))) return;
            at += static_cast<std::int64_t>(*got);
        }
    };
    return answer;
}

HttpAnswer OperatorSite::logOn(const HttpRequest& request) {
    if (const auto ours = checkOrigin(request); !ours.ok()) return refusal(ours.error());
    auto fields = admin::parseFields(request.body);
    if (!fields.ok()) return refusal(fields.error());
    const auto token = logins_.logOn((*fields)["name"], (*fields)["password"], request.peer);
    if (!token.ok()) return refusal(token.error().code == Errc::Denied ? 401 : 503, token.error());
    HttpAnswer answer = json("{}\n");
    answer.headers.push_back(cookie(*token, false));
    return answer;
}

HttpAnswer OperatorSite::logOff(const HttpRequest& request) {
    if (const auto ours = checkOrigin(request); !ours.ok()) return refusal(ours.error());
    logins_.logOff(cookieOf(request));
    HttpAnswer answer = json("{}\n");
    answer.headers.push_back(cookie("", true));
    return answer;
}

HttpAnswer OperatorSite::ready() const {
    const admin::ServiceView view = view_();
    if (view.store.broken()) return plain(503, "the store refuses writes\n");
    if (const auto room = view.acceptor.checkRoom(0); !room.ok()) return plain(503, room.error().text + "\n");
    const auto read = view.store.read([](store::ReadSession& session) -> Result<void> {
        POSTERN_TRY(queue::readAdapterStates(session));
        return {};
    });
    return read.ok() ? plain(200, "ready\n") : plain(503, read.error().text + "\n");
}

std::string openApi() {
    std::string paths;
    for (const admin::Command& command : admin::commands()) {
        if (carriedCommand(command.verb) == nullptr) continue;
        std::string properties;
        for (const admin::Parameter& each : command.parameters)
            properties += (properties.empty() ? "" : ",") + admin::jsonString(each.name) +
                          ":{\"type\":\"string\",\"description\":" + admin::jsonString(each.summary) + "}";
        paths += (paths.empty() ? "" : ",\n") + admin::jsonString(std::string(kRun) + command.verb) +
                 ":{\"post\":{\"summary\":" + admin::jsonString(command.summary) +
                 ",\"description\":\"Role: " + std::string(admin::roleName(command.role)) +
                 "\",\"requestBody\":{\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\","
                 "\"additionalProperties\":false,\"properties\":{" +
                 properties +
                 "}}}}},\"responses\":{\"200\":{\"$ref\":\"#/components/responses/Rows\"},"
                 "\"default\":{\"$ref\":\"#/components/responses/Error\"}}}}";
    }
    return "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Postern\",\"version\":\"1\"},\n\"paths\":{" + paths +
           "},\n\"components\":{\"responses\":{"
           "\"Rows\":{\"description\":\"done\",\"content\":{\"application/"
           "json\":{\"schema\":{\"type\":\"object\","
           "\"properties\":{\"rows\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}}}},"
           "\"Error\":{\"description\":\"refused\",\"content\":{\"application/json\":{\"schema\":{\"type\":"
           "\"object\",\"properties\":{\"error\":{\"type\":\"string\"},\"code\":{\"type\":\"string\"}}}}}}}}}"
           "\n";
}

}  // namespace postern::http
