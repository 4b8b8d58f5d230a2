#pragma once
// The whole grammar of `postern`, built from the list of verbs (verbs.h): for parsing, and as facts for the
// manual pages and the shells' completion.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/cli/verbs.h"
#include "connector/manual/command.h"

namespace postern::cli {

class Grammar {
  public:
    explicit Grammar(Run& run);  // REQUIRES: `run` outlives us
    ~Grammar();

    // Fills `run` and what the verb wants. The exit status when that is all: help, the version, a mistake.
    std::optional<int> parse(const std::vector<std::string>& arguments);
    // What the command line asked for. REQUIRES: parse() returned nothing.
    const Carry& chosen() const;

    // Without the commands that only programs type.
    manual::Command facts() const;

  private:
    struct Impl;
    const std::unique_ptr<Impl> impl_;
};

}  // namespace postern::cli
