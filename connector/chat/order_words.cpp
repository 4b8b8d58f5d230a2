#include "connector/chat/order_words.h"

#include <algorithm>
#include <span>

#include "base/text.h"
#include "connector/admin/filter.h"

namespace postern::chat {

namespace {

using Words = std::vector<std::string>;

// What follows a verb.
struct Rest {
    std::span<const std::string> words;
    WallTime now;

    bool empty() const { return words.empty(); }
    std::string take() {
        std::string first = words.front();
        words = words.subspan(1);
        return first;
    }
    std::string text() const {
        std::string all;
        for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
        return all;
    }
};

// Items are named as words of their own, never as "ids=".
bool isFilter(std::string_view name) {
    const auto known = admin::filterParameters();
    if (name == "ids") return false;
    return std::any_of(known.begin(), known.end(),
                       [&](const admin::Parameter& each) { return name == each.name; });
}

// Takes "adapter=x state=held" and "all" off the front.
void takeFilters(Rest& rest, admin::Request& request) {
    while (!rest.empty()) {
        const std::string& word = rest.words.front();
        const auto equals = word.find('=');
        if (word == "all") {
            request.fields["all"] = "true";
        } else if (equals != std::string::npos && isFilter(std::string_view(word).substr(0, equals))) {
            request.fields[word.substr(0, equals)] = word.substr(equals + 1);
        } else {
            return;
        }
        rest.take();
    }
}

// Takes "17,20-22,m3" off the front: one word, so that a reason may begin with a number.
void takeIds(Rest& rest, admin::Request& request) {
    std::string ids;
    if (!rest.empty() && namesItems(rest.words.front())) ids = rest.take();
    std::replace(ids.begin(), ids.end(), ',', ' ');
    if (!ids.empty()) request.fields["ids"] = ids;
}

Result<Wish> plain(const char* verb, Rest rest) {
    if (!rest.empty()) return fail(Errc::Invalid, "\"" + rest.words.front() + "\" was not understood");
    Wish wish;
    wish.request.verb = verb;
    return wish;
}

Result<Wish> status(Rest rest) {
    return plain("status", rest);
}

Result<Wish> listing(const char* verb, Rest rest) {
    Wish wish;
    wish.request.verb = verb;
    takeFilters(rest, wish.request);
    takeIds(rest, wish.request);
    if (!rest.empty()) return fail(Errc::Invalid, "\"" + rest.words.front() + "\" was not understood");
    return wish;
}
Result<Wish> list(Rest rest) {
    return listing("queue.list", rest);
}
Result<Wish> summary(Rest rest) {
    Wish wish;
    wish.request.verb = "queue.summary";
    if (!rest.empty()) wish.request.fields["by"] = rest.take();
    if (rest.empty()) return wish;
    return fail(Errc::Invalid, "\"" + rest.words.front() + "\" was not understood");
}

Result<Wish> about(const char* verb, Rest rest) {
    Wish wish;
    wish.request.verb = verb;
    takeIds(rest, wish.request);
    if (wish.request.fields.empty() || !rest.empty())
        return fail(Errc::Invalid, "an item's number is needed");
    return wish;
}
Result<Wish> show(Rest rest) {
    return about("queue.show", rest);
}
Result<Wish> log(Rest rest) {
    return about("queue.log", rest);
}

// A change of items named one by one is done at once unless it can not be taken back.
Result<Wish> change(const std::string& what, bool final, Rest rest) {
    Wish wish;
    wish.request.verb = "operate";
    wish.request.fields["change"] = what;
    takeIds(rest, wish.request);
    const bool named = wish.request.fields.contains("ids");
    if (!named) takeFilters(rest, wish.request);
    if (!named && wish.request.fields.size() == 1)
        return fail(Errc::Invalid, "which items? Numbers, or filters such as adapter=NAME");
    if (!rest.empty()) wish.request.fields["reason"] = rest.text();
    const bool many = wish.request.field("ids").find_first_of("-m") != std::string_view::npos;
    wish.kind = final || !named || many ? Wish::Kind::Confirm : Wish::Kind::Ask;
    return wish;
}
Result<Wish> hold(Rest rest) {
    return change("hold", false, rest);
}
Result<Wish> release(Rest rest) {
    return change("release", false, rest);
}
Result<Wish> retry(Rest rest) {
    return change("retry", false, rest);
}
Result<Wish> bounce(Rest rest) {
    return change("bounce", true, rest);
}
Result<Wish> remove(Rest rest) {
    return change("delete", true, rest);
}
Result<Wish> resolve(Rest rest) {
    constexpr const char* kHow = "exported, resend or failed comes first";
    if (rest.empty()) return fail(Errc::Invalid, kHow);
    const std::string how = rest.take();
    if (how != "exported" && how != "resend" && how != "failed") return fail(Errc::Invalid, kHow);
    return change("resolve-" + how, true, rest);
}

Result<Wish> ofAdapter(const char* verb, Rest& rest) {
    if (rest.empty()) return fail(Errc::Invalid, "an adapter's name is needed");
    Wish wish;
    wish.request.verb = verb;
    wish.request.fields["name"] = rest.take();
    return wish;
}
Result<Wish> suspend(Rest rest) {
    POSTERN_LET(wish, ofAdapter("adapter.suspend", rest));
    if (rest.words.size() >= 2 && rest.words.front() == "for") {
        rest.take();
        const std::string time = rest.take();
        constexpr std::int64_t kYear = 365LL * 24 * 3'600'000;
        const auto millis = parseDurationMillis(time);
        if (!millis || *millis <= 0 || *millis > kYear)
            return fail(Errc::Invalid, "\"" + time + "\" is no time such as 30m or 2h, up to 365d");
        wish.request.fields["until"] = std::to_string(toMillis(rest.now + Millis(*millis)));
    }
    if (!rest.empty()) wish.request.fields["reason"] = rest.text();
    return wish;
}
Result<Wish> resume(Rest rest) {
    POSTERN_LET(wish, ofAdapter("adapter.resume", rest));
    if (!rest.empty()) return fail(Errc::Invalid, "one adapter at a time");
    return wish;
}

Result<Wish> between(Wish::Kind kind, Rest rest) {
    Wish wish;
    wish.kind = kind;
    wish.words.assign(rest.words.begin(), rest.words.end());
    return wish;
}
Result<Wish> help(Rest rest) {
    return between(Wish::Kind::Help, rest);
}
Result<Wish> agree(Rest rest) {
    if (rest.words.size() != 1) return fail(Errc::Invalid, "the word that was named is needed");
    return between(Wish::Kind::Agree, rest);
}
Result<Wish> filter(Rest rest) {
    return between(Wish::Kind::Filter, rest);
}
Result<Wish> mute(Rest rest) {
    if (rest.words.size() > 1) return fail(Errc::Invalid, "one time is enough");
    return between(Wish::Kind::Mute, rest);
}
Result<Wish> ack(Rest rest) {
    if (rest.empty() || !namesItems(rest.words.front()))
        return fail(Errc::Invalid, "an item's number is needed");
    return between(Wish::Kind::Ack, rest);
}

struct Verb {
    const char* name;
    const char* form;  // behind the name
    const char* help;
    Result<Wish> (*read)(Rest rest);
};

// In the order of help.
constexpr Verb kVerbs[] = {
    {"help", "[VERB]", "this", help},
    {"status", "", "the service and its adapters", status},
    {"list", "[all] [adapter=NAME] [state=held,in_doubt] [from=TEXT] [to=TEXT] [older=2h] [error=TEXT]",
     "items that wait", list},
    {"summary", "[adapter|sender|domain|error]", "how many wait, how large and how old", summary},
    {"show", "ITEM[,ITEM]", "everything about items: 17, 17,20, 3-7, or m12 for those of message 12", show},
    {"log", "ITEM[,ITEM]", "its history", log},
    {"hold", "ITEM[,ITEM]|FILTER... [WHY]", "set aside until released", hold},
    {"release", "ITEM[,ITEM]|FILTER...", "let held items go", release},
    {"retry", "ITEM[,ITEM]|FILTER...", "try waiting or failed items now", retry},
    {"bounce", "ITEM[,ITEM]|FILTER... [WHY]", "give up and tell the sender; asks first", bounce},
    {"delete", "ITEM[,ITEM]|FILTER... [WHY]", "give up silently; asks first", remove},
    {"resolve", "exported|resend|failed ITEM[,ITEM]", "say what became of an item in doubt; asks first",
     resolve},
    {"suspend", "ADAPTER [for TIME] [WHY]", "export nothing by it", suspend},
    {"resume", "ADAPTER", "end that", resume},
    {"confirm", "TOKEN", "yes, to what asked first", agree},
    {"ack", "ITEM[,ITEM] [NOTE]",
     "\"I look after it\": tells the channel, and its delays are not told any more", ack},
    {"filter", "[off] [adapter=NAME] [events=failed,doubt]", "which events you are told", filter},
    {"mute", "[off|TIME]", "no events for you for so long", mute},
};

std::string formOf(const Verb& verb) {
    return std::string(verb.name) + (*verb.form == '\0' ? "" : " ") + verb.form;
}

const Verb* verbNamed(std::string_view name) {
    const auto found = std::find_if(std::begin(kVerbs), std::end(kVerbs),
                                    [&](const Verb& verb) { return name == verb.name; });
    return found == std::end(kVerbs) ? nullptr : found;
}

Error unknownVerb(std::string_view name) {
    return fail(Errc::Invalid, "there is no \"" + escapeLine(name, 40) + "\"; say help");
}

Words wordsOf(std::string_view text) {
    Words words;
    for (const std::string_view word : split(text, ' '))
        if (!trim(word).empty()) words.emplace_back(trim(word));
    return words;
}

}  // namespace

bool namesItems(std::string_view word) {
    if (word.starts_with('m')) word.remove_prefix(1);
    return !word.empty() && word.front() >= '0' && word.front() <= '9' &&
           word.find_first_not_of("0123456789-,m") == std::string_view::npos;
}

Result<Wish> understand(std::string_view text, WallTime now) {
    const Words words = wordsOf(text);
    if (words.empty()) return fail(Errc::Invalid, "say help");
    const std::string name = lowerAscii(words.front());
    const Verb* verb = verbNamed(name);
    if (verb == nullptr) return unknownVerb(name);
    auto wish = verb->read(Rest{std::span(words).subspan(1), now});
    if (!wish.ok()) return fail(Errc::Invalid, formOf(*verb) + ": " + wish.error().text);
    return wish;
}

Result<std::vector<std::string>> helpAbout(std::string_view verb) {
    std::vector<std::string> lines;
    if (!verb.empty()) {
        const Verb* found = verbNamed(verb);
        if (found == nullptr) return unknownVerb(verb);
        lines.push_back(formOf(*found) + " - " + found->help);
        return lines;
    }
    for (const Verb& each : kVerbs) lines.push_back(formOf(each) + " - " + each.help);
    return lines;
}

}  // namespace postern::chat
