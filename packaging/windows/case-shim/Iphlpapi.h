// Empty on purpose: Poco's UnWindows.h includes it, and what it brings (mprapi.h) defines TIMESTAMP_REQUEST, a name that
// Poco's ICMP classes use.
