#pragma once
// The [[rule]]s: policy on mail coming in, for one recipient of its envelope at a time; what lists and header
// fields say of recipients counts for nothing (KB Q181797).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connector/config/config.h"

namespace postern::routing {

// What is known of a mail. Views: they live as long as the question.
struct Mail {
    std::string_view sender;  // empty: the null reverse path
    std::string_view source;
    std::int64_t size = 0;         // announced, 0 when not; once complete, the true one
    bool complete = false;         // the text is here: size and header are final
    std::string_view header = {};  // its header block, as received
};

// Immutable. Thread rule: any thread.
class Rules {
  public:
    Rules() = default;
    explicit Rules(std::vector<config::Rule> rules);

    enum class Holds { Yes, No, NotYet };
    // One rule that was looked at, and what spoke for or against it.
    struct Look {
        const config::Rule* rule;
        Holds holds;
        std::string why;
    };

    // The first rule all of whose conditions hold for that recipient, or null. Before the mail is complete a
    // rule on its header, or on a size that was not announced as larger, holds NotYet: then nothing below it
    // decides either, and null is returned; the question is asked again when the text is here. `looks` gets
    // every rule on the way.
    const config::Rule* decide(const Mail& mail, std::string_view recipient,
                               std::vector<Look>* looks = nullptr) const;

    bool empty() const { return rules_.empty(); }

  private:
    static Holds holds(const config::Rule& rule, const Mail& mail, std::string_view recipient,
                       std::string& why);
    std::vector<config::Rule> rules_;
};

// What is wrong with a rule's "Field: pattern"; empty when nothing is.
std::string headerConditionProblem(std::string_view condition);

}  // namespace postern::routing
