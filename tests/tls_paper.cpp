#include "tests/tls_paper.h"

#include <cstdio>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace postern::tests {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Stream = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

Stream open(const std::string& path, const char* mode) {
    Stream stream(std::fopen(path.c_str(), mode), &std::fclose);
    if (!stream) throw std::runtime_error("can not open " + path);
    return stream;
}

void addExtension(X509* certificate, int kind, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

void writeKey(const std::string& path, EVP_PKEY* key, const std::string& passphrase) {
    const auto stream = open(path, "w");
    const bool locked = !passphrase.empty();
    PEM_write_PKCS8PrivateKey(stream.get(), key, locked ? EVP_aes_128_cbc() : nullptr,
                              locked ? passphrase.data() : nullptr, static_cast<int>(passphrase.size()),
                              nullptr, nullptr);
}

}  // namespace

void makePaper(const std::string& folder, const Paper& paper) {
    const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const Certificate certificate(X509_new(), &X509_free);
    X509_set_version(certificate.get(), 2);
    unsigned char serial[8];
    RAND_bytes(serial, sizeof serial);
    long number = 1;
    for (const unsigned char byte : serial) number = (number << 7 | (byte & 0x7f)) & 0x7fffffff;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), number);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), paper.validFrom);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), paper.validFrom + paper.validFor);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(paper.subject.data()),
                               static_cast<int>(paper.subject.size()), -1, 0);
    addExtension(certificate.get(), NID_basic_constraints, paper.authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!paper.authority) addExtension(certificate.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    if (paper.signer.empty()) {
        X509_set_issuer_name(certificate.get(), subject);
        X509_sign(certificate.get(), key.get(), EVP_sha256());
    } else {
        const Certificate issuer(
            PEM_read_X509(open(folder + "/" + paper.signer + ".pem", "r").get(), nullptr, nullptr, nullptr),
            &X509_free);
        const Key signer(PEM_read_PrivateKey(open(folder + "/" + paper.signer + ".key", "r").get(), nullptr,
                                             nullptr, nullptr),
                         &EVP_PKEY_free);
        X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
        X509_sign(certificate.get(), signer.get(), EVP_sha256());
    }
    writeKey(folder + "/" + paper.name + ".key", key.get(), paper.passphrase);
    PEM_write_X509(open(folder + "/" + paper.name + ".pem", "w").get(), certificate.get());
}

}  // namespace postern::tests
