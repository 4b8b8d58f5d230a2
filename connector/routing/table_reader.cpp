// The file of an address table: its lines become records in the place where they were read, since a record is
// never longer than its line, and the tables of offsets are made over them.

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "connector/routing/address_table.h"
#include "mail/address.h"

namespace postern::routing {

namespace {

constexpr std::size_t kMostTold = 20;
constexpr std::size_t kLongestName = 1000;
constexpr std::int64_t kLargestFile = (std::int64_t{1} << 32) - 16;  // offsets have 32 bits

// The first twenty are told, the others counted.
class Told {
  public:
    explicit Told(std::string path) : path_(std::move(path)) {}
    bool any() const { return count_ > 0; }
    template <class Text>
    void add(int line, Text text) {
        if (++count_ <= kMostTold) list_.push_back({{path_, line, 0}, text()});
    }
    std::vector<config::Problem> take() {
        if (count_ > kMostTold)
            list_.push_back({{path_, 0, 0}, "and " + std::to_string(count_ - kMostTold) + " more"});
        return std::move(list_);
    }

  private:
    std::string path_;
    std::vector<config::Problem> list_;
    std::size_t count_ = 0;
};

// Most addresses are plain: those need no parser.
bool isPlainAddress(std::string_view text) {
    bool label = false;  // the last byte may be followed by a dot or the end
    std::size_t at = std::string_view::npos;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool letterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool inLocal = at == std::string_view::npos;
        if (letterOrDigit || (inLocal && label && (c == '-' || c == '_'))) {
            label = true;
        } else if (label && (c == '.' || (c == '-' && !inLocal))) {
            label = false;
        } else if (c == '@' && label && inLocal) {
            at = i;
            label = false;
        } else {
            return false;
        }
    }
    return label && at != std::string_view::npos && at <= 64 && text.size() - at <= 64;
}

struct Fields {
    std::string_view address, legacy;
};

}  // namespace

class TableReader {
  public:
    TableReader(std::string bytes, const std::string& path)
        : table_(std::make_shared<AddressTable>()), problems_(path), warnings_(path) {
        table_->bytes_ = std::move(bytes);
        if (!table_->bytes_.ends_with('\n')) table_->bytes_ += '\n';
    }

    AddressTable::Read read() {
        std::size_t at = table_->bytes_.starts_with("\xEF\xBB\xBF") ? 3 : 0;
        while (at < table_->bytes_.size()) {
            const std::size_t end = table_->bytes_.find('\n', at);
            ++line_;
            readLine(at, end);
            at = end + 1;
        }
        table_->bytes_.resize(end_);
        index();
        AddressTable::Read result{nullptr, problems_.take(), warnings_.take()};
        if (result.problems.empty()) result.table = table_;
        return result;
    }

  private:
    struct Record {
        std::uint32_t offset;
        int line;
    };

    void wrong(std::string text) {
        problems_.add(line_, [&] { return std::move(text); });
    }

    void readLine(std::size_t at, std::size_t end) {
        std::string_view text(table_->bytes_.data() + at, end - at);
        if (text.ends_with('\r')) text.remove_suffix(1);
        if (trim(text).empty() || text.front() == '#') return;
        const auto fields = fieldsOf(text);
        if (!fields) return;
        const bool first = !std::exchange(begun_, true);
        if (first && isHeader(*fields)) return;
        if (checkLegacy(fields->legacy)) keepAddress(*fields);
    }

    static bool isHeader(const Fields& fields) {
        return fields.address.find('@') == std::string_view::npos &&
               lowerAscii(fields.address).starts_with("internet");
    }

    std::optional<Fields> fieldsOf(std::string_view text) {
        Fields fields;
        std::string_view* const into[] = {&fields.address, &fields.legacy};
        for (std::size_t i = 0;; ++i) {
            std::string_view field;
            if (!takeField(text, field, i)) return std::nullopt;
            if (i < 2) *into[i] = field;
            if (text.empty() && i == 0)
                return wrong("one field only: write \"internet address,legacy address\""), std::nullopt;
            if (text.empty() && i == 1) return fields;
            if (!text.empty() && i == 1)
                return wrong("more than two fields: a name with a comma must stand in quotes"), std::nullopt;
            text.remove_prefix(1);
        }
    }

    // Leaves `text` at the comma behind the field, or empty.
    bool takeField(std::string_view& text, std::string_view& field, std::size_t number) {
        while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
        if (text.starts_with('"')) return takeQuoted(text, field, unquoted_[number]);
        const auto comma = std::min(text.find(','), text.size());
        field = trim(text.substr(0, comma));
        text.remove_prefix(comma);
        return true;
    }

    bool takeQuoted(std::string_view& text, std::string_view& field, std::string& out) {
        out.clear();
        std::size_t at = 1;
        for (;; ++at) {
            if (at >= text.size()) return wrong("a quote that does not end on the line"), false;
            if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) break;
            if (text[at] == '"') ++at;
            out += text[at];
        }
        text.remove_prefix(at + 1);
        while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
        if (!text.empty() && text.front() != ',')
            return wrong("text behind a closing quote: a quote inside a field is written twice"), false;
        field = trim(out);
        return true;
    }

    bool checkLegacy(std::string_view legacy) {
        const bool control =
            std::any_of(legacy.begin(), legacy.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
        if (legacy.empty()) return wrong("the legacy address is empty"), false;
        if (control) return wrong("the legacy address has a control character"), false;
        if (!validUtf8(legacy)) return wrong("the legacy address is not UTF-8"), false;
        if (legacy.size() > kLongestName)
            return wrong("the legacy address is longer than " + std::to_string(kLongestName) + " bytes"),
                   false;
        return true;
    }

    void keepAddress(const Fields& fields) {
        if (isPlainAddress(fields.address)) return keep(fields);
        const auto address = mail::parseAddress(fields.address, {true, false, {}});
        if (!address.ok())
            return wrong("\"" + escapeLine(fields.address, 100) + "\": " + address.error().text);
        const std::string plain = address->text();
        keep({plain, fields.legacy});
    }

    // What is written here ends before what is still to be read: two NULs stand for a comma and a line end.
    void keep(const Fields& fields) {
        records_.push_back({static_cast<std::uint32_t>(end_), line_});
        const std::string_view parts[] = {fields.address, fields.legacy};
        for (const std::string_view part : parts) {
            std::copy(part.begin(), part.end(), table_->bytes_.data() + end_);
            end_ += part.size();
            table_->bytes_[end_++] = '\0';
        }
    }

    int lineOf(std::uint32_t offset) const {
        const auto found = std::lower_bound(
            records_.begin(), records_.end(), offset,
            [](const Record& record, std::uint32_t wanted) { return record.offset < wanted; });
        return found->line;
    }

    void index() {
        table_->byAddress_.prepare(records_.size());
        table_->byLegacy_.prepare(records_.size());
        table_->size_ = records_.size();
        for (const Record& record : records_) {
            line_ = record.line;
            indexAddress(record);
            indexLegacy(record);
        }
    }

    static std::uint32_t& writable(const std::uint32_t* slot, std::vector<std::uint32_t>& slots) {
        return slots[static_cast<std::size_t>(slot - slots.data())];
    }

    void indexAddress(const Record& record) {
        const std::string_view address = table_->addressAt(record.offset);
        const std::uint32_t* slot = table_->findAddress(address);
        if (*slot == 0) {
            writable(slot, table_->byAddress_.slots) = record.offset + 1;
            return;
        }
        wrong("\"" + escapeLine(address, 100) + "\" stands in line " + std::to_string(lineOf(*slot - 1)) +
              " too: an Internet address has one legacy address");
    }

    void indexLegacy(const Record& record) {
        const std::string_view legacy = table_->legacyAt(record.offset);
        const std::uint32_t* slot = table_->findLegacy(legacy);
        if (*slot == 0) {
            writable(slot, table_->byLegacy_.slots) = record.offset + 1;
            return;
        }
        const std::uint32_t first = *slot - 1;
        warnings_.add(record.line, [&] {
            return "\"" + escapeLine(legacy, 100) + "\" stands in line " + std::to_string(lineOf(first)) +
                   " too: answers to it go to " + escapeLine(table_->addressAt(first), 100);
        });
    }

    std::shared_ptr<AddressTable> table_;
    Told problems_, warnings_;
    std::vector<Record> records_;
    std::string unquoted_[2];
    std::size_t end_ = 0;  // of the records
    int line_ = 0;
    bool begun_ = false;
};

AddressTable::Read AddressTable::parse(std::string bytes, const std::string& path) {
    return TableReader(std::move(bytes), path).read();
}

AddressTable::Read AddressTable::read(const std::string& path) {
    auto bytes = [&]() -> Result<std::string> {
        POSTERN_LET(file, File::openRead(path));
        POSTERN_LET(size, file.size());
        if (size > kLargestFile) return fail(Errc::Invalid, path + " is larger than 4 GiB");
        std::string all(static_cast<std::size_t>(size) + 1, '\n');  // room for the last line's end
        std::size_t have = 0;
        while (have < static_cast<std::size_t>(size)) {
            POSTERN_LET(got,
                        file.readAt(static_cast<std::int64_t>(have), all.data() + have, all.size() - have));
            if (got == 0) break;
            have += got;
        }
        all.resize(have + 1, '\n');
        all[have] = '\n';
        return all;
    }();
    if (!bytes.ok()) return {nullptr, {{{path, 0, 0}, "can not be read: " + bytes.error().text}}, {}};
    return parse(std::move(bytes).value(), path);
}

}  // namespace postern::routing
