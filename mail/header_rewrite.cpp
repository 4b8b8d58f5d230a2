#include "mail/header_rewrite.h"

#include <algorithm>

#include "base/text.h"
#include "mail/code_page.h"
#include "mail/field_rewrite.h"
#include "mail/header_cut.h"
#include "mail/line_facts.h"
#include "mail/raw_fields.h"

namespace postern::mail {
namespace {

class Writer {
  public:
    explicit Writer(const HeaderNeeds& needs) : needs_(needs) {
        fieldNeeds_.words = needs.words;
        if (needs.lineLimit > 0) fieldNeeds_.lineLimit = needs.lineLimit;
    }

    Result<RewrittenHeader> run(std::string_view block) {
        std::string_view blankLine;
        for (std::string_view rest = block; !rest.empty();) {
            const RawField field = takeField(rest);
            if (field.whole == "\r\n" || field.whole == "\n")
                blankLine = field.whole;
            else
                add(field, trim(field.name));
        }
        addMissing();
        const std::size_t notes = out_.notes.size();
        POSTERN_TRY(cutHeader(fields_, needs_.blockLimit, out_.notes));
        out_.changed = edited_ || out_.notes.size() > notes || (needs_.clean && blankLine == "\n");
        if (!out_.changed) {
            out_.bytes = block;
            return std::move(out_);
        }
        for (const std::string& field : fields_) out_.bytes += field;
        out_.bytes += "\r\n";
        return std::move(out_);
    }

  private:
    void add(const RawField& field, std::string_view name) {
        if (equalsIgnoreCase(name, "Content-Transfer-Encoding") && !needs_.encoding.empty()) {
            if (!hasEncoding_) put("Content-Transfer-Encoding: " + needs_.encoding + "\r\n");
            edited_ = true;
            hasEncoding_ = true;
            return;
        }
        hasVersion_ = hasVersion_ || equalsIgnoreCase(name, "MIME-Version");
        if (equalsIgnoreCase(name, "Content-Type")) {
            const bool replaces = !hasType_ && (!needs_.charset.empty() || !needs_.type.empty());
            hasType_ = true;
            if (replaces) {
                put(contentField(name, field.value, needs_.type, needs_.charset, fieldNeeds_.lineLimit));
                return;
            }
        }
        if (!fits(field.whole))
            rewrite(field, name);
        else if (field.whole.ends_with('\n'))
            fields_.emplace_back(field.whole);
        else
            put(std::string(field.whole) + "\r\n");
    }

    bool fits(std::string_view field) const {
        const LineFacts facts = lineFacts(field);
        return !(needs_.ascii && facts.eightBit) && !(needs_.utf8 && facts.eightBit && !isUtf8(field)) &&
               !(needs_.clean && facts.binary()) &&
               (needs_.lineLimit == 0 || facts.longest <= needs_.lineLimit);
    }

    void rewrite(const RawField& field, std::string_view name) {
        // A mailbox file's "From " line, and what is no field.
        if (name.empty() || !field.hasColon || !isName(name)) {
            edited_ = true;
            note("a header line that is no field was left out");
            return;
        }
        RewrittenField rewritten = rewriteField(name, field.value, fieldNeeds_);
        const std::string shown = escapeLine(name, 40);
        if (!rewritten.leftOut.empty()) note("header field " + shown + " left out: " + rewritten.leftOut);
        if (rewritten.addressRemoved)
            note("an address in " + shown + " is not US-ASCII: it stands in Downgraded-" + shown);
        put(std::move(rewritten.bytes));
    }

    static bool isName(std::string_view name) {
        return std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
    }

    void put(std::string field) {
        edited_ = true;
        fields_.push_back(std::move(field));
    }

    void addMissing() {
        const bool describes = !needs_.encoding.empty() || !needs_.charset.empty() || !needs_.type.empty();
        if (!describes) return;
        if (needs_.addMime && !hasVersion_) put("MIME-Version: 1.0\r\n");
        if (!hasType_ && (!needs_.charset.empty() || !needs_.type.empty()))
            put("Content-Type: " + (needs_.type.empty() ? "text/plain" : needs_.type) +
                (needs_.charset.empty() ? "" : "; charset=" + needs_.charset) + "\r\n");
        if (!hasEncoding_ && !needs_.encoding.empty())
            put("Content-Transfer-Encoding: " + needs_.encoding + "\r\n");
    }

    void note(const std::string& text) {
        constexpr std::size_t kMost = 20;
        if (std::find(out_.notes.begin(), out_.notes.end(), text) != out_.notes.end()) return;
        if (out_.notes.size() < kMost)
            out_.notes.push_back(text);
        else
            ++out_.notesLeft;
    }

    const HeaderNeeds& needs_;
    FieldNeeds fieldNeeds_;
    RewrittenHeader out_;
    std::vector<std::string> fields_;
    bool edited_ = false;
    bool hasEncoding_ = false, hasType_ = false, hasVersion_ = false;
};

}  // namespace

Result<RewrittenHeader> rewriteHeader(std::string_view block, const HeaderNeeds& needs) {
    return Writer(needs).run(block);
}

}  // namespace postern::mail
