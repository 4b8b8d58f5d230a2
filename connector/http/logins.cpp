#include "connector/http/logins.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace postern::http {

namespace {

constexpr std::size_t kMostSessions = 500;
constexpr std::size_t kTokenLetters = 40;  // of 36 kinds: 206 bits
constexpr Millis kIdle{8 * 3'600'000};     // a working day
constexpr Millis kWrongWindow{60'000};
constexpr int kMostWrong = 20;         // in a window, of everybody: a person mistypes thrice
constexpr Millis kBarredEach{60'000};  // a line of the log: who guesses does not fill it

}  // namespace

bool Logins::tooManyWrong() {
    MutexLock lock(mutex_);
    if (clock_.steady() - wrongSince_ > kWrongWindow) {
        wrong_ = 0;
        wrongSince_ = clock_.steady();
    }
    return wrong_ >= kMostWrong;
}

void Logins::noteBarred(std::string_view name, std::string_view from) {
    std::int64_t tries = 0;
    {
        MutexLock lock(mutex_);
        ++barred_;
        const SteadyTime now = clock_.steady();
        if (barredTold_ && now - *barredTold_ < kBarredEach) return;
        barredTold_ = now;
        tries = std::exchange(barred_, 0);
    }
    LogLine(LogEvent::AuthFailed)
        .with("name", name)
        .with("from", from)
        .with("way", "http")
        .with("why", "barred: too many wrong passwords lately")
        .with("tries", tries);
}

Result<Person> Logins::check(std::string_view name, std::string_view password, std::string_view from) {
    if (tooManyWrong()) {
        noteBarred(name, from);
        return fail(Errc::Busy, "too many wrong passwords lately: try again in a minute");
    }
    const auto login = directory_.logOn(name, password);
    if (login.ok()) return Person{login->name, admin::roleOf(login->roles)};
    LogLine(LogEvent::AuthFailed)
        .with("name", name)
        .with("from", from)
        .with("way", "http")
        .with("why", login.error().text);
    if (login.error().code == Errc::Denied) {
        MutexLock lock(mutex_);
        ++wrong_;
    }
    return login.error();
}

Result<std::string> Logins::logOn(std::string_view name, std::string_view password, std::string_view from) {
    POSTERN_LET(person, check(name, password, from));
    LogLine(LogEvent::AuthOk).with("name", name).with("from", from).with("way", "http");
    const std::string token = randomName(kTokenLetters);
    MutexLock lock(mutex_);
    dropOld();
    sessions_[token] = {person.name, clock_.steady()};
    return token;
}

void Logins::dropOld() {
    const SteadyTime now = clock_.steady();
    std::erase_if(sessions_, [&](const auto& entry) { return now - entry.second.seen > kIdle; });
    if (sessions_.size() < kMostSessions) return;
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
        return a.second.seen < b.second.seen;
    }));
}

std::optional<Person> Logins::find(std::string_view token) {
    std::string name;
    {
        MutexLock lock(mutex_);
        const auto found = sessions_.find(token);
        if (found == sessions_.end()) return std::nullopt;
        if (clock_.steady() - found->second.seen > kIdle) {
            sessions_.erase(found);
            return std::nullopt;
        }
        found->second.seen = clock_.steady();
        name = found->second.name;
    }
    const auto login = directory_.login(name);
    if (!login.ok()) return std::nullopt;  // removed since, or the store can not be asked: log on again
    return Person{login->name, admin::roleOf(login->roles)};
}

void Logins::logOff(std::string_view token) {
    MutexLock lock(mutex_);
    const auto found = sessions_.find(token);
    if (found != sessions_.end()) sessions_.erase(found);
}

}  // namespace postern::http
