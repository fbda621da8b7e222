// Viewers of one track without a handshake: sessions with known keys, whose peers' addresses passed a check.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "../src/session.h"
#include "../src/sink.h"
#include "check.h"

namespace rushlight {

struct Spectator {
  std::unique_ptr<Session> session;
  std::unique_ptr<Sink> sink;
};

class Audience {
 public:
  explicit Audience(SrtpProfile profile) { key.profile = profile; }

  // `handle` names the viewer and is the SSRC of its picture.
  Spectator open(MediaSocket& socket, const Endpoint& peer, Handle handle, Track& track, Context& context) {
    Spectator one;
    const std::string name = "viewer" + std::to_string(handle);
    one.session = std::make_unique<Session>(SessionOptions{handle, false, 10'000}, names_, identity_);
    one.session->setIce({name, "password", "peer", "remote"});
    one.session->setKeys(key, key, context);
    one.session->receiveStun(socket, peer, stun::buildCheck({}, name + ":peer", {}, "password"), context);
    one.sink = std::make_unique<Sink>(SinkOptions{handle, handle, 96, false, "name", handle | 0x10000, 97}, &track, one.session.get());
    return one;
  }

  MasterKey key;

 private:
  const DtlsIdentity identity_;
  Names names_;
};

// A picture of packets of 1,100 bytes, with parameter sets in front of every other keyframe.
class Camera {
 public:
  void show(Track& track, size_t packets, bool keyframe, Context& context) {
    if (keyframe && keyframes_++ % 2 == 0) {
      write(track, {0x67, 0x42, 0xc0, 0x1f, 0xda}, false, context);
      write(track, {0x68, 0xce, 0x3c, 0x80}, false, context);
    }
    for (size_t i = 0; i < packets; i++) {
      std::vector<uint8_t> slice(1100, static_cast<uint8_t>(i));
      slice[0] = keyframe ? 0x65 : 0x41;
      write(track, slice, i + 1 == packets, context);
    }
    timestamp_ += 3000;
  }

 private:
  void write(Track& track, const std::vector<uint8_t>& payload, bool marker, Context& context) {
    RtpPacket packet;
    packet.marker = marker;
    packet.ssrc = 7;
    packet.sequence = sequence_++;
    packet.timestamp = timestamp_;
    packet.payload = payload;
    track.write(packet, context);
  }

  uint16_t sequence_ = 1;
  uint32_t timestamp_ = 1;
  uint32_t keyframes_ = 0;
};

}  // namespace rushlight
