// An address and a port of a datagram, IPv4 or IPv6.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

namespace rushlight {

struct Endpoint {
  uint16_t family = 0;
  uint16_t port = 0;
  // Of a link-local IPv6 address; 0 otherwise.
  uint32_t scope = 0;
  std::array<uint8_t, 16> address{};

  bool operator==(const Endpoint&) const = default;

  size_t addressBytes() const { return family == AF_INET6 ? 16 : 4; }

  bool isLoopback() const {
    if (family == AF_INET) return address[0] == 127;
    const in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
    return std::memcmp(address.data(), &loopback, 16) == 0;
  }

  // Fills in `to` and returns its length.
  socklen_t toSocket(sockaddr_storage& to) const {
    std::memset(&to, 0, sizeof(sockaddr_in6));
    if (family == AF_INET6) {
      auto& six = reinterpret_cast<sockaddr_in6&>(to);
      six.sin6_family = AF_INET6;
      six.sin6_port = htons(port);
      six.sin6_scope_id = scope;
      std::memcpy(&six.sin6_addr, address.data(), 16);
      return sizeof(sockaddr_in6);
    }
    auto& four = reinterpret_cast<sockaddr_in&>(to);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    std::memcpy(&four.sin_addr, address.data(), 4);
    return sizeof(sockaddr_in);
  }

  static Endpoint fromSocket(const sockaddr_storage& from) {
    Endpoint endpoint;
    endpoint.family = from.ss_family;
    if (from.ss_family == AF_INET6) {
      const auto& six = reinterpret_cast<const sockaddr_in6&>(from);
      endpoint.port = ntohs(six.sin6_port);
      endpoint.scope = six.sin6_scope_id;
      std::memcpy(endpoint.address.data(), &six.sin6_addr, 16);
    } else {
      const auto& four = reinterpret_cast<const sockaddr_in&>(from);
      endpoint.port = ntohs(four.sin_port);
      std::memcpy(endpoint.address.data(), &four.sin_addr, 4);
    }
    return endpoint;
  }

  // Nothing if `text` is not a numeric address.
  static std::optional<Endpoint> parse(const std::string& text, uint16_t port) {
    Endpoint endpoint;
    endpoint.port = port;
    endpoint.family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (inet_pton(endpoint.family, text.c_str(), endpoint.address.data()) != 1) return std::nullopt;
    return endpoint;
  }
};

struct EndpointHash {
  size_t operator()(const Endpoint& endpoint) const {
    uint64_t words[2];
    std::memcpy(words, endpoint.address.data(), 16);
    uint64_t hash = words[0] ^ words[1] * 0x9e3779b97f4a7c15ULL ^ endpoint.port * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53ULL;
    return hash ^ hash >> 29;
  }
};

}  // namespace rushlight
