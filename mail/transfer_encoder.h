#pragma once
// Content-Transfer-Encodings, written in pieces: quoted-printable and base64 (RFC 2045 6.7, 6.8). Internal to
// this room. Linear time, flat memory. Thread rule: one thread.

#include <cstdint>
#include <string>
#include <string_view>

#include "mail/encoding.h"

namespace postern::mail {

class TransferEncoder {
  public:
    // REQUIRES: not Uuencode. Lines of the result have at most `width` bytes, CRLF not counted; 24 to 76.
    TransferEncoder(TransferEncoding encoding, int width);

    // Appends what `bytes` encode to. Pieces may be cut anywhere. Quoted-printable keeps CRLF as a line end;
    // a CR or LF alone is encoded, and so is what relays change: blanks at a line's end, a dot, a dash or an
    // "F" where a line begins (RFC 2049 3; a dash so that no line can be taken for a boundary).
    void encode(std::string_view bytes, std::string& out);
    // After the last piece. Base64 ends without a line break.
    void finish(std::string& out);

  private:
    void base64(std::string_view bytes, std::string& out);
    void group(std::uint32_t bits, std::size_t bytes, std::string& out);
    void printable(std::string_view bytes, std::string& out);
    void character(char c, std::string& out);
    void put(std::string_view token, std::string& out);
    void escape(char c, std::string& out);
    void releaseBlank(std::string& out);

    TransferEncoding encoding_;
    std::size_t width_;
    std::size_t column_ = 0;
    std::string held_;     // base64: bytes of an unfinished group of three
    char blank_ = 0;       // quoted-printable: a blank that may end its line
    bool heldCr_ = false;  // quoted-printable: a CR that an LF may follow
};

}  // namespace postern::mail
