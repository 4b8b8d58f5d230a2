#pragma once
// Keys and certificates for a test, made when it runs and gone with its folder.

#include <string>

namespace postern::tests {

// Writes a new key to `folder`/NAME.key and a certificate for the common name `subject` to `folder`/NAME.pem;
// signed by `signer` (the NAME of one made before with `authority`), or by itself when that is empty.
struct Paper {
    std::string name, subject, signer = {};
    bool authority = false;
    long validFrom = -3600, validFor = 90L * 24 * 3600;  // seconds from now
    std::string passphrase = {};                         // of the key; empty: none
};
void makePaper(const std::string& folder, const Paper& paper);

}  // namespace postern::tests
