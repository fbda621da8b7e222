// Big-endian numbers in datagrams, and views of bytes.
#pragma once
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace rushlight {

using View = std::span<const uint8_t>;

inline uint16_t read16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }

inline uint32_t read24(const uint8_t* at) { return uint32_t{at[0]} << 16 | uint32_t{at[1]} << 8 | at[2]; }

inline uint32_t read32(const uint8_t* at) {
  return uint32_t{at[0]} << 24 | uint32_t{at[1]} << 16 | uint32_t{at[2]} << 8 | at[3];
}

inline void write16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

inline void write24(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 16);
  write16(at + 1, value);
}

inline void write32(uint8_t* at, uint32_t value) {
  write16(at, value >> 16);
  write16(at + 2, value);
}

// memcpy that accepts null if there are no bytes.
inline void copyBytes(uint8_t* to, const uint8_t* from, size_t count) {
  if (count > 0) std::memcpy(to, from, count);
}

inline std::vector<uint8_t> toVector(View view) { return {view.begin(), view.end()}; }

inline bool sameBytes(View a, View b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace rushlight
