#include "rtcp.h"

#include <algorithm>
#include <cmath>

namespace rushlight::rtcp {

namespace {

enum Type : uint8_t { Sr = 200, Rr = 201, Sdes = 202, Bye = 203, RtpFeedback = 205, PayloadFeedback = 206, Extended = 207 };
enum Block : uint8_t { ReferenceBlock = 4, EchoBlock = 5 };

constexpr double kEpochOffsetS = 2208988800.0;
constexpr double kFraction = 4294967296.0;
constexpr size_t kReportBytes = 24;
// More than any receiver of ours requests at once; limits the cost of one packet.
constexpr size_t kMaxLost = 512;
// Equal statuses in one chunk of transport-wide feedback.
constexpr size_t kMostInRun = 0x1fff;

void readReports(View packet, size_t at, size_t count, Handler& handler) {
  for (size_t i = 0; i < count && at + kReportBytes <= packet.size(); i++, at += kReportBytes) {
    const uint8_t* block = packet.data() + at;
    ReportBlock report;
    report.ssrc = read32(block);
    report.fractionLost = block[4];
    report.lostTotal = static_cast<int32_t>(read24(block + 5) << 8) >> 8;
    report.highestSequence = read32(block + 8);
    report.jitter = read32(block + 12);
    report.lastReport = read32(block + 16);
    report.delaySinceLastReport = read32(block + 20);
    handler.onReportBlock(report);
  }
}

void readNack(View packet, Handler& handler) {
  std::vector<uint16_t> lost;
  for (size_t at = 12; at + 4 <= packet.size() && lost.size() < kMaxLost; at += 4) {
    const uint16_t first = read16(packet.data() + at);
    const uint16_t following = read16(packet.data() + at + 2);
    lost.push_back(first);
    for (int bit = 0; bit < 16; bit++) {
      if (following & 1 << bit) lost.push_back(static_cast<uint16_t>(first + bit + 1));
    }
  }
  handler.onNack(read32(packet.data() + 8), lost);
}

void readPayloadFeedback(View packet, size_t format, Handler& handler) {
  if (format == 1) handler.onKeyframeRequest(read32(packet.data() + 8));
  if (format != 4) return;
  for (size_t at = 12; at + 8 <= packet.size(); at += 8) handler.onKeyframeRequest(read32(packet.data() + at));
}

// Up to the first malformed block.
void readExtended(View packet, Handler& handler) {
  for (size_t at = 8; at + 4 <= packet.size();) {
    const uint8_t* block = packet.data() + at;
    const size_t bytes = 4 + read16(block + 2) * 4u;
    if (at + bytes > packet.size()) return;
    if (block[0] == ReferenceBlock && bytes == 12) {
      handler.onReferenceTime({read32(packet.data() + 4), uint64_t{read32(block + 4)} << 32 | read32(block + 8)});
    }
    at += bytes;
  }
}

// Statuses of packets: 0 is not received, the others are the bytes of its time. Runs of equal ones go into one chunk; others seven at a
// time, or fourteen if none needs two bytes.
std::vector<uint16_t> chunksOf(const std::vector<uint8_t>& statuses) {
  std::vector<uint16_t> chunks;
  for (size_t at = 0; at < statuses.size();) {
    size_t run = 1;
    while (at + run < statuses.size() && statuses[at + run] == statuses[at] && run < kMostInRun) run++;
    const size_t left = std::min<size_t>(statuses.size() - at, 14);
    const bool small = std::all_of(statuses.begin() + at, statuses.begin() + at + left, [](uint8_t one) { return one < 2; });
    const size_t count = std::min<size_t>(left, small ? 14 : 7);
    if (run >= left || run >= count) {
      chunks.push_back(static_cast<uint16_t>(statuses[at] << 13 | run));
      at += run;
      continue;
    }
    const size_t bits = small ? 1 : 2;
    uint16_t chunk = small ? 0x8000 : 0xc000;
    for (size_t i = 0; i < count; i++) chunk |= static_cast<uint16_t>(statuses[at + i] << (14 - bits * (i + 1)));
    chunks.push_back(chunk);
    at += count;
  }
  return chunks;
}

// False if the packet is malformed.
bool readOne(View packet, Handler& handler) {
  const size_t count = packet[0] & 0x1f;
  switch (packet[1]) {
    case Sr: {
      if (packet.size() < 28 + count * kReportBytes) return false;
      SenderReport report;
      report.ssrc = read32(packet.data() + 4);
      report.ntp = uint64_t{read32(packet.data() + 8)} << 32 | read32(packet.data() + 12);
      report.rtpTimestamp = read32(packet.data() + 16);
      handler.onSenderReport(report);
      readReports(packet, 28, count, handler);
      return true;
    }
    case Rr:
      if (packet.size() < 8 + count * kReportBytes) return false;
      readReports(packet, 8, count, handler);
      return true;
    case Bye:
      if (packet.size() < 4 + count * 4) return false;
      for (size_t i = 0; i < count; i++) handler.onBye(read32(packet.data() + 4 + i * 4));
      return true;
    case RtpFeedback:
      if (packet.size() < 12) return false;
      if (count == 1) readNack(packet, handler);
      return true;
    case PayloadFeedback:
      if (packet.size() < 12) return false;
      readPayloadFeedback(packet, count, handler);
      return true;
    case Extended:
      if (packet.size() < 8) return false;
      readExtended(packet, handler);
      return true;
    default:
      return true;
  }
}

}  // namespace

void parse(View compound, Handler& handler) {
  size_t offset = 0;
  while (offset + 4 <= compound.size()) {
    const View rest = compound.subspan(offset);
    const size_t bytes = 4 + read16(rest.data() + 2) * 4u;
    if (rest[0] >> 6 != 2 || bytes > rest.size() || !readOne(rest.first(bytes), handler)) return;
    offset += bytes;
  }
}

uint8_t* Builder::append(uint8_t type, size_t count, size_t bytes) {
  const size_t at = bytes_.size();
  bytes_.resize(at + bytes);
  uint8_t* packet = bytes_.data() + at;
  packet[0] = static_cast<uint8_t>(0x80 | count);
  packet[1] = type;
  write16(packet + 2, static_cast<uint32_t>(bytes / 4 - 1));
  return packet;
}

void Builder::senderReport(const SenderReport& report) {
  uint8_t* packet = append(Sr, 0, 28);
  write32(packet + 4, report.ssrc);
  write32(packet + 8, static_cast<uint32_t>(report.ntp >> 32));
  write32(packet + 12, static_cast<uint32_t>(report.ntp));
  write32(packet + 16, report.rtpTimestamp);
  write32(packet + 20, report.packets);
  write32(packet + 24, report.octets);
}

void Builder::receiverReport(uint32_t ssrc, const std::vector<ReportBlock>& reports) {
  uint8_t* packet = append(Rr, reports.size(), 8 + reports.size() * kReportBytes);
  write32(packet + 4, ssrc);
  uint8_t* block = packet + 8;
  for (const ReportBlock& report : reports) {
    write32(block, report.ssrc);
    block[4] = report.fractionLost;
    write24(block + 5, static_cast<uint32_t>(std::clamp(report.lostTotal, -0x800000, 0x7fffff)) & 0xffffff);
    write32(block + 8, report.highestSequence);
    write32(block + 12, report.jitter);
    write32(block + 16, report.lastReport);
    write32(block + 20, report.delaySinceLastReport);
    block += kReportBytes;
  }
}

void Builder::canonicalName(uint32_t ssrc, const std::string& name) {
  const size_t length = std::min<size_t>(name.size(), 255);
  uint8_t* packet = append(Sdes, 1, (4 + 4 + 2 + length + 1 + 3) / 4 * 4);
  write32(packet + 4, ssrc);
  packet[8] = 1;
  packet[9] = static_cast<uint8_t>(length);
  std::memcpy(packet + 10, name.data(), length);
}

void Builder::nack(uint32_t senderSsrc, uint32_t mediaSsrc, const std::vector<uint16_t>& lost) {
  std::vector<std::array<uint16_t, 2>> entries;
  for (const uint16_t sequence : lost) {
    const uint16_t behind = entries.empty() ? 0 : static_cast<uint16_t>(sequence - entries.back()[0]);
    if (behind >= 1 && behind <= 16) entries.back()[1] |= static_cast<uint16_t>(1 << (behind - 1));
    else entries.push_back({sequence, 0});
  }
  uint8_t* packet = append(RtpFeedback, 1, 12 + entries.size() * 4);
  write32(packet + 4, senderSsrc);
  write32(packet + 8, mediaSsrc);
  for (size_t i = 0; i < entries.size(); i++) {
    write16(packet + 12 + i * 4, entries[i][0]);
    write16(packet + 14 + i * 4, entries[i][1]);
  }
}

void Builder::pictureLoss(uint32_t senderSsrc, uint32_t mediaSsrc) {
  uint8_t* packet = append(PayloadFeedback, 1, 12);
  write32(packet + 4, senderSsrc);
  write32(packet + 8, mediaSsrc);
}

void Builder::remb(uint32_t senderSsrc, uint64_t bitsPerSecond, const std::vector<uint32_t>& ssrcs) {
  uint8_t* packet = append(PayloadFeedback, 15, 20 + ssrcs.size() * 4);
  write32(packet + 4, senderSsrc);
  std::memcpy(packet + 12, "REMB", 4);
  uint32_t exponent = 0;
  while (bitsPerSecond >> exponent > 0x3ffff) exponent++;
  packet[16] = static_cast<uint8_t>(ssrcs.size());
  write24(packet + 17, exponent << 18 | static_cast<uint32_t>(bitsPerSecond >> exponent));
  for (size_t i = 0; i < ssrcs.size(); i++) write32(packet + 20 + i * 4, ssrcs[i]);
}

void Builder::transportFeedback(uint32_t senderSsrc, uint32_t mediaSsrc, const TransportFeedback& feedback) {
  std::vector<uint8_t> statuses, differences;
  int32_t before = 0;
  for (const auto& at : feedback.arrivals) {
    const int32_t difference = at ? *at - before : 0;
    const bool small = difference >= 0 && difference <= 0xff;
    statuses.push_back(!at ? 0 : small ? 1 : 2);
    if (!at) continue;
    before = *at;
    if (!small) differences.push_back(static_cast<uint8_t>(difference >> 8));
    differences.push_back(static_cast<uint8_t>(difference));
  }
  const auto chunks = chunksOf(statuses);
  const size_t used = 20 + chunks.size() * 2 + differences.size();
  const size_t padding = (4 - used % 4) % 4;
  uint8_t* packet = append(RtpFeedback, 15, used + padding);
  if (padding > 0) packet[0] |= 0x20;
  write32(packet + 4, senderSsrc);
  write32(packet + 8, mediaSsrc);
  write16(packet + 12, feedback.first);
  write16(packet + 14, static_cast<uint32_t>(statuses.size()));
  write24(packet + 16, feedback.reference);
  packet[19] = feedback.count;
  for (size_t i = 0; i < chunks.size(); i++) write16(packet + 20 + i * 2, chunks[i]);
  copyBytes(packet + 20 + chunks.size() * 2, differences.data(), differences.size());
  if (padding > 0) packet[used + padding - 1] = static_cast<uint8_t>(padding);
}

void Builder::referenceEchoes(uint32_t ssrc, const std::vector<ReferenceEcho>& echoes) {
  uint8_t* packet = append(Extended, 0, 12 + echoes.size() * 12);
  write32(packet + 4, ssrc);
  packet[8] = EchoBlock;
  write16(packet + 10, static_cast<uint32_t>(echoes.size() * 3));
  uint8_t* echo = packet + 12;
  for (const ReferenceEcho& one : echoes) {
    write32(echo, one.ssrc);
    write32(echo + 4, one.lastReference);
    write32(echo + 8, one.delay);
    echo += 12;
  }
}

uint64_t ntpOfUnixMs(double unixMs) {
  const double seconds = std::floor(unixMs / 1000);
  const double fraction = (unixMs - seconds * 1000) / 1000 * kFraction;
  return static_cast<uint64_t>(seconds + kEpochOffsetS) << 32 | static_cast<uint32_t>(std::min(fraction, kFraction - 1));
}

double unixMsOfNtp(uint64_t ntp) {
  return (static_cast<double>(ntp >> 32) - kEpochOffsetS) * 1000 + static_cast<double>(ntp & 0xffffffff) / kFraction * 1000;
}

}  // namespace rushlight::rtcp
