#include "mail/uuencode.h"

#include <optional>

#include "base/text.h"
#include "mail/encoding.h"
#include "mail/window.h"

namespace postern::mail {
namespace {

std::optional<std::string> nameOfBegin(std::string_view line) {
    if (!line.starts_with("begin ")) return std::nullopt;
    line.remove_prefix(6);
    std::size_t digits = 0;
    while (digits < line.size() && line[digits] >= '0' && line[digits] <= '7') ++digits;
    if (digits < 3 || digits > 4 || digits >= line.size() || line[digits] != ' ') return std::nullopt;
    const std::string_view name = trim(line.substr(digits));
    return name.empty() ? std::nullopt : std::optional(std::string(name));
}

class Finder {
  public:
    Finder(ByteSource& source, std::int64_t begin, std::int64_t end, std::size_t most)
        : window_(source), at_(begin), end_(end), most_(most) {}

    Result<std::vector<UuencodedFile>> run() {
        while (at_ < end_) {
            const std::int64_t start = at_;
            POSTERN_LET(line, next());
            take(line, start);
        }
        if (open_ && hasData_) {
            open_->truncated = true;
            finish(end_, end_);
        }
        return std::move(found_);
    }

  private:
    // The line at `at_` without its end, cut where it is too long for any line of this kind.
    Result<std::string> next() {
        constexpr std::size_t kLongest = 1024;
        POSTERN_LET(view, window_.at(at_, kLongest));
        const auto left = static_cast<std::size_t>(end_ - at_);
        std::string_view line = view.substr(0, std::min(left, view.size()));
        const auto newline = line.find('\n');
        const std::string kept(line.substr(0, std::min({newline, line.size(), kLongest})));
        at_ += static_cast<std::int64_t>(newline == line.npos ? line.size() : newline + 1);
        while (newline == line.npos && at_ < end_) {
            POSTERN_LET(more, window_.at(at_, 1));
            const std::string_view rest =
                more.substr(0, std::min(static_cast<std::size_t>(end_ - at_), more.size()));
            const auto found = rest.find('\n');
            at_ += static_cast<std::int64_t>(found == rest.npos ? rest.size() : found + 1);
            if (found != rest.npos) break;
        }
        return kept;
    }

    void take(std::string_view line, std::int64_t start) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (open_ && trim(line) == "end" && hasData_) {
            finish(start, at_);
        } else if (open_ && (isUuencodedLine(line) || (hasData_ && line.empty()))) {
            hasData_ = true;
        } else {
            open_.reset();
            auto name = found_.size() < most_ ? nameOfBegin(line) : std::nullopt;
            if (!name) return;
            open_ = UuencodedFile{start, 0, at_, 0, std::move(*name), false};
            hasData_ = false;
        }
    }

    void finish(std::int64_t dataEnd, std::int64_t end) {
        open_->dataEnd = dataEnd;
        open_->end = end;
        found_.push_back(std::move(*open_));
        open_.reset();
    }

    Window window_;
    std::int64_t at_, end_;
    std::size_t most_;
    std::vector<UuencodedFile> found_;
    std::optional<UuencodedFile> open_;
    bool hasData_ = false;
};

}  // namespace

Result<std::vector<UuencodedFile>> findUuencoded(ByteSource& source, std::int64_t begin, std::int64_t end,
                                                 std::size_t most) {
    return Finder(source, begin, end, most).run();
}

}  // namespace postern::mail
