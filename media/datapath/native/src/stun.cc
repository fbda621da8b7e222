#include "stun.h"

#include "crypto.h"

namespace rushlight::stun {

namespace {

constexpr uint32_t kMagic = 0x2112a442;
constexpr uint32_t kFingerprintXor = 0x5354554e;
constexpr size_t kHeaderBytes = 20;
constexpr uint32_t kHostPriority = 0x6effffff;

enum Attribute : uint16_t {
  MappedAddress = 0x0001,
  Username = 0x0006,
  MessageIntegrity = 0x0008,
  ErrorCode = 0x0009,
  UnknownAttributes = 0x000a,
  Realm = 0x0014,
  Nonce = 0x0015,
  MessageIntegritySha256 = 0x001c,
  XorMappedAddress = 0x0020,
  Priority = 0x0024,
  UseCandidate = 0x0025,
  Fingerprint = 0x8028,
  IceControlled = 0x8029,
  IceControlling = 0x802a,
};

View viewOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

uint32_t crc32(View bytes) {
  uint32_t crc = 0xffffffff;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

class Builder {
 public:
  Builder(Type type, const Transaction& transaction) : bytes_(kHeaderBytes) {
    write16(bytes_.data(), type);
    write32(bytes_.data() + 4, kMagic);
    copyBytes(bytes_.data() + 8, transaction.data(), transaction.size());
  }

  void add(uint16_t type, View value) {
    const size_t at = bytes_.size();
    bytes_.resize(at + 4 + (value.size() + 3) / 4 * 4);
    write16(bytes_.data() + at, type);
    write16(bytes_.data() + at + 2, static_cast<uint32_t>(value.size()));
    copyBytes(bytes_.data() + at + 4, value.data(), value.size());
  }

  // Adds MESSAGE-INTEGRITY and FINGERPRINT, each of which covers the length as if it were the last.
  std::vector<uint8_t> finish(const std::string& password) {
    setLength(bytes_.size() + 24);
    add(MessageIntegrity, HmacSha1(viewOf(password)).digest(bytes_));
    setLength(bytes_.size() + 8);
    uint8_t fingerprint[4];
    write32(fingerprint, crc32(bytes_) ^ kFingerprintXor);
    add(Fingerprint, fingerprint);
    return std::move(bytes_);
  }

 private:
  void setLength(size_t total) { write16(bytes_.data() + 2, static_cast<uint32_t>(total - kHeaderBytes)); }
  std::vector<uint8_t> bytes_;
};

bool mustBeUnderstood(uint16_t type) {
  switch (type) {
    case MappedAddress:
    case Username:
    case MessageIntegrity:
    case ErrorCode:
    case UnknownAttributes:
    case Realm:
    case Nonce:
    case MessageIntegritySha256:
    case XorMappedAddress:
    case Priority:
    case UseCandidate:
      return false;
    default:
      return type < 0x8000;
  }
}

void take(Message& message, uint16_t type, View value) {
  if (type == Username) message.username = {reinterpret_cast<const char*>(value.data()), value.size()};
  if (type == UseCandidate) message.useCandidate = true;
  if (type == IceControlling) message.controlling = true;
  if (type == IceControlled) message.controlled = true;
  if (message.unknown == 0 && mustBeUnderstood(type)) message.unknown = type;
}

}  // namespace

bool isStun(View datagram) {
  return datagram.size() >= kHeaderBytes && datagram[0] < 4 && read32(datagram.data() + 4) == kMagic;
}

std::optional<Message> parse(View datagram) {
  if (!isStun(datagram)) return std::nullopt;
  const size_t length = read16(datagram.data() + 2);
  if (length % 4 != 0 || length + kHeaderBytes != datagram.size()) return std::nullopt;
  Message message;
  message.type = read16(datagram.data());
  copyBytes(message.transaction.data(), datagram.data() + 8, message.transaction.size());
  size_t offset = kHeaderBytes;
  while (offset + 4 <= datagram.size()) {
    const uint16_t type = read16(datagram.data() + offset);
    const size_t size = read16(datagram.data() + offset + 2);
    if (offset + 4 + size > datagram.size()) return std::nullopt;
    const View value = datagram.subspan(offset + 4, size);
    if (message.integrity.empty()) {
      if (type == MessageIntegrity) {
        if (size != kSha1Bytes) return std::nullopt;
        message.integrity = value;
        message.integrityOffset = offset;
      } else {
        take(message, type, value);
      }
    }
    offset += 4 + (size + 3) / 4 * 4;
  }
  return message;
}

bool hasIntegrity(View datagram, const Message& message, const std::string& password) {
  if (message.integrity.empty()) return false;
  auto covered = toVector(datagram.first(message.integrityOffset));
  write16(covered.data() + 2, static_cast<uint32_t>(message.integrityOffset + 24 - kHeaderBytes));
  const auto digest = HmacSha1(viewOf(password)).digest(covered);
  return equalInConstantTime(digest.data(), message.integrity.data(), kSha1Bytes);
}

std::vector<uint8_t> buildSuccess(const Transaction& transaction, const Endpoint& mapped, const std::string& password) {
  Builder builder(Success, transaction);
  const size_t addressBytes = mapped.addressBytes();
  uint8_t mask[16];
  write32(mask, kMagic);
  copyBytes(mask + 4, transaction.data(), transaction.size());
  uint8_t value[20] = {0, static_cast<uint8_t>(addressBytes == 16 ? 2 : 1)};
  write16(value + 2, mapped.port ^ kMagic >> 16);
  for (size_t i = 0; i < addressBytes; i++) value[4 + i] = mapped.address[i] ^ mask[i];
  builder.add(XorMappedAddress, {value, 4 + addressBytes});
  return builder.finish(password);
}

std::vector<uint8_t> buildError(const Transaction& transaction, int code, uint16_t unknown, const std::string& password) {
  Builder builder(Error, transaction);
  const std::string reason = code == 487 ? "Role Conflict" : "Unknown Attribute";
  std::vector<uint8_t> value = {0, 0, static_cast<uint8_t>(code / 100), static_cast<uint8_t>(code % 100)};
  value.insert(value.end(), reason.begin(), reason.end());
  builder.add(ErrorCode, value);
  if (code == 420) {
    uint8_t type[2];
    write16(type, unknown);
    builder.add(UnknownAttributes, type);
  }
  return builder.finish(password);
}

std::vector<uint8_t> buildCheck(const Transaction& transaction, const std::string& username,
                                const std::array<uint8_t, 8>& tieBreaker, const std::string& password) {
  Builder builder(Request, transaction);
  uint8_t priority[4];
  write32(priority, kHostPriority);
  builder.add(Username, viewOf(username));
  builder.add(Priority, priority);
  builder.add(IceControlling, tieBreaker);
  builder.add(UseCandidate, {});
  return builder.finish(password);
}

}  // namespace rushlight::stun
