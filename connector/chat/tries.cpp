#include "connector/chat/tries.h"

#include <algorithm>

namespace postern::chat {

bool Tries::allows(const std::string& key, SteadyTime now) {
    const auto found = times_.find(key);
    if (found == times_.end()) return true;
    std::deque<SteadyTime>& times = found->second;
    while (!times.empty() && now - times.front() >= window_) times.pop_front();
    if (times.size() >= most_) return false;
    if (times.empty()) times_.erase(found);
    return true;
}

void Tries::note(const std::string& key, SteadyTime now) {
    if (times_.size() >= kMostKeys && times_.find(key) == times_.end()) dropOld(now);
    std::deque<SteadyTime>& times = times_[key];
    times.push_back(now);
    if (times.size() > most_) times.pop_front();
}

void Tries::dropOld(SteadyTime now) {
    std::erase_if(times_, [&](const auto& each) { return now - each.second.back() >= window_; });
    if (times_.size() < kMostKeys) return;
    const auto quietest = std::min_element(times_.begin(), times_.end(), [](const auto& a, const auto& b) {
        return a.second.back() < b.second.back();
    });
    times_.erase(quietest);
}

}  // namespace postern::chat
