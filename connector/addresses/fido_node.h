#pragma once
// A node of FidoNet as its network writes it, "2:5030/123.4", and as the Internet does, "p4.f123.n5030.z2"
// (FTS-5001 5.1). Each is the exact inverse of the other for what it makes; point 0 is left out. Thread rule:
// pure.

#include <string>
#include <string_view>

namespace postern::addresses {

// The node that the first labels of `domain` name; empty when they name none with its zone.
std::string fidoNode(std::string_view domain);

// The labels for `node`; empty when it is no node of four numbers from 0 (zone and net: 1) to 32767.
std::string fidoLabels(std::string_view node);

}  // namespace postern::addresses
