#pragma once
// How often something happened lately, by key: wrong passwords of an account, connections of an address.
// Bounded: of too many keys the ones that are quiet longest are forgotten. Thread rule: one thread.

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "base/clock.h"

namespace postern::chat {

class Tries {
  public:
    static constexpr std::size_t kMostKeys = 4096;

    Tries(std::size_t most, Millis window) : most_(most), window_(window) {}

    // Whether it may happen once more now.
    bool allows(const std::string& key, SteadyTime now);
    void note(const std::string& key, SteadyTime now);
    std::size_t size() const { return times_.size(); }

  private:
    void dropOld(SteadyTime now);

    const std::size_t most_;
    const Millis window_;
    std::map<std::string, std::deque<SteadyTime>> times_;
};

}  // namespace postern::chat
