// STUN binding requests and responses as ICE uses them (RFC 8489, RFC 8445 section 7).
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "bytes.h"
#include "endpoint.h"

namespace rushlight {

namespace stun {

enum Type : uint16_t { Request = 0x0001, Success = 0x0101, Error = 0x0111 };
using Transaction = std::array<uint8_t, 12>;

struct Message {
  uint16_t type = 0;
  Transaction transaction{};
  // Views into the datagram; attributes after MESSAGE-INTEGRITY are not authenticated and left out.
  std::string_view username;
  View integrity;
  size_t integrityOffset = 0;
  bool useCandidate = false;
  bool controlling = false;
  bool controlled = false;
  // First unknown attribute that is required (RFC 8489, section 5); 0 if there is none.
  uint16_t unknown = 0;
};

// True for a possible STUN message on a multiplexed port (RFC 7983).
bool isStun(View datagram);
// Nothing if it is malformed.
std::optional<Message> parse(View datagram);
// Checks MESSAGE-INTEGRITY under the short-term password (RFC 8489, section 14.5).
bool hasIntegrity(View datagram, const Message& message, const std::string& password);

std::vector<uint8_t> buildSuccess(const Transaction& transaction, const Endpoint& mapped, const std::string& password);
// `unknown` is named if the code is 420.
std::vector<uint8_t> buildError(const Transaction& transaction, int code, uint16_t unknown, const std::string& password);
std::vector<uint8_t> buildCheck(const Transaction& transaction, const std::string& username,
                                const std::array<uint8_t, 8>& tieBreaker, const std::string& password);

}  // namespace stun

}  // namespace rushlight
