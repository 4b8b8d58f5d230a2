#pragma once
// Content-Transfer-Encodings, decoded in pieces. Lenient as RFC 2045 asks: illegal characters are skipped
// and flagged, decoding stops at padding, truncated data gives what there is. Linear time.

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::mail {

enum class TransferEncoding { Identity, Base64, QuotedPrintable };

// Thread rule: one thread.
class TransferDecoder {
  public:
    explicit TransferDecoder(TransferEncoding encoding) : encoding_(encoding) {}

    // Appends what `encoded` decodes to. Pieces may be cut anywhere.
    void decode(std::string_view encoded, std::string& out);
    // After the last piece.
    void finish(std::string& out);
    bool damaged() const { return damaged_; }

  private:
    void base64(std::string_view encoded, std::string& out);
    void quotedPrintable(std::string_view encoded, std::string& out);
    void escapeOrBlank(char c, std::string& out);

    TransferEncoding encoding_;
    bool damaged_ = false;
    bool ended_ = false;      // base64: padding was seen
    std::uint32_t bits_ = 0;  // base64: digits of an unfinished group of four
    int digits_ = 0;
    std::string held_;  // quoted-printable: "=", "=X" or blanks that may end a line
};

}  // namespace postern::mail
