#pragma once
// A mail's Message-ID as a relay needs it: the same at every attempt, so that a receiver that knows its mail
// by it drops the second of two. A mail without one is given one made of the item.
// Thread rule: one thread for each mail.

#include <string>

#include "adapters/adapter.h"

namespace postern::adapters {

// `made` put into `original` behind its header's last field, also where the header ends with the data (KB
// Q175841) or the text begins without a blank line. REQUIRES: `original` outlives it.
class IdentifiedMail final : public ByteSource {
  public:
    // Reads the whole header, however long, in pieces. An Error is the source's.
    static Result<IdentifiedMail> look(ByteSource& original, const std::string& made);

    const std::string& id() const { return id_; }  // for people; may be empty
    bool added() const { return !field_.empty(); }
    std::int64_t size() const override {
        return original_->size() + static_cast<std::int64_t>(field_.size());
    }
    Result<std::size_t> readAt(std::int64_t offset, char* into, std::size_t size) override;
    std::string_view inMemory() const override {
        return added() ? std::string_view() : original_->inMemory();
    }

  private:
    explicit IdentifiedMail(ByteSource& original) : original_(&original) {}
    ByteSource* original_;
    std::string id_, field_;
    std::int64_t at_ = 0;  // where the field stands
};

}  // namespace postern::adapters
