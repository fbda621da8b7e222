// DTLS handshakes between two endpoints of ours: over lossy, repeating and reordering paths, with the wrong peer, and their end.
#include <openssl/rsa.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <thread>

#include "../src/dtls.h"
#include "check.h"

using namespace rushlight;

namespace {

using Datagrams = std::vector<std::vector<uint8_t>>;
// Changes packets on their way to one side.
using Way = std::function<void(Datagrams&)>;

const DtlsIdentity clientIdentity;
const DtlsIdentity serverIdentity;

DtlsOptions expecting(const DtlsIdentity& peer, bool client, SrtpProfile preferred = SrtpProfile::AeadAes128Gcm) {
  return {client, preferred, {{"sha-256", peer.fingerprint()}}};
}

struct Pair {
  Dtls client;
  Dtls server;

  explicit Pair(DtlsOptions ofClient = expecting(serverIdentity, true), DtlsOptions ofServer = expecting(clientIdentity, false))
      : client(clientIdentity, std::move(ofClient)), server(serverIdentity, std::move(ofServer)) {}

  bool over() const { return client.state() != Dtls::State::Handshake && server.state() != Dtls::State::Handshake; }

  static void carry(Dtls& from, Dtls& to, const Way& way) {
    Datagrams datagrams = from.takeDatagrams();
    way(datagrams);
    for (const auto& datagram : datagrams) to.receive(datagram);
  }

  void exchange(const Way& way) {
    carry(client, server, way);
    carry(server, client, way);
  }

  void shakeHands(const Way& way = [](Datagrams&) {}) {
    server.start();
    client.start();
    for (int i = 0; i < 3000 && !over(); i++) {
      exchange(way);
      if (over()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      client.tick();
      server.tick();
    }
    // The last flight of the side that finishes first.
    exchange(way);
  }

  bool connected() const { return client.state() == Dtls::State::Connected && server.state() == Dtls::State::Connected; }
};

bool same(const MasterKey& a, const MasterKey& b) {
  return a.profile == b.profile && a.key.bytes == b.key.bytes && a.salt.bytes == b.salt.bytes;
}

void keys() {
  for (const auto profile : {SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80}) {
    Pair pair(expecting(serverIdentity, true), expecting(clientIdentity, false, profile));
    pair.shakeHands();
    CHECK(pair.connected());
    CHECK(pair.server.localKey().profile == profile);
    CHECK(same(pair.client.localKey(), pair.server.remoteKey()));
    CHECK(same(pair.client.remoteKey(), pair.server.localKey()));
    CHECK(!same(pair.client.localKey(), pair.client.remoteKey()));
  }
}

void badWays() {
  uint32_t random = 1;
  const auto next = [&] { return random = random * 1664525 + 1013904223, random >> 16; };
  for (int run = 0; run < 6; run++) {
    Pair pair;
    pair.shakeHands([&](Datagrams& datagrams) {
      std::erase_if(datagrams, [&](const auto&) { return next() % 100 < 20; });
      if (datagrams.size() > 1 && next() % 2 == 0) std::reverse(datagrams.begin(), datagrams.end());
      if (!datagrams.empty() && next() % 4 == 0) datagrams.push_back(datagrams.front());
    });
    CHECK(pair.client.state() == Dtls::State::Connected || pair.server.state() == Dtls::State::Connected);
  }
}

// Nothing that anybody can send before encryption starts ends a handshake.
void strangers() {
  const std::vector<uint8_t> alert = {21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40};
  const std::vector<uint8_t> data = {23, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 98, 0, 2, 2, 40};
  const std::vector<uint8_t> cut = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 97, 1, 0, 2};
  Pair pair;
  pair.shakeHands([&](Datagrams& datagrams) {
    for (const auto& junk : {alert, data, cut}) datagrams.insert(datagrams.begin(), junk);
    datagrams.push_back({});
  });
  CHECK(pair.connected());
}

void wrongPeers() {
  const DtlsIdentity other;
  Pair wrongClient(expecting(serverIdentity, true), expecting(other, false));
  wrongClient.shakeHands();
  CHECK(wrongClient.server.state() == Dtls::State::Failed);
  CHECK(wrongClient.server.reason().find("certificate") != std::string::npos);
  Pair wrongServer(expecting(other, true));
  wrongServer.shakeHands();
  CHECK(wrongServer.client.state() == Dtls::State::Failed);
  Pair noneNamed({true, {}, {}});
  noneNamed.shakeHands();
  CHECK(noneNamed.client.state() == Dtls::State::Failed);
  Pair weak({true, {}, {{"sha-1", serverIdentity.fingerprint()}, {"sha-256", ""}}});
  weak.shakeHands();
  CHECK(weak.client.state() == Dtls::State::Failed);
}

Key rsaKey(unsigned bits, const char* exponent) {
  BIGNUM* e = nullptr;
  BN_hex2bn(&e, exponent);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, nullptr);
  EVP_PKEY* key = nullptr;
  CHECK(EVP_PKEY_keygen_init(context) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(context, static_cast<int>(bits)) == 1);
  CHECK(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e) == 1 && EVP_PKEY_generate(context, &key) == 1);
  EVP_PKEY_CTX_free(context);
  BN_free(e);
  return Key(key);
}

bool connects(const Key& key) {
  const DtlsIdentity identity(key);
  const DtlsOptions options = {false, {}, {{"sha-256", identity.fingerprint()}}};
  Dtls client(identity, expecting(serverIdentity, true));
  Dtls server(serverIdentity, options);
  server.start();
  client.start();
  for (int i = 0; i < 20 && server.state() == Dtls::State::Handshake; i++) {
    Pair::carry(client, server, [](Datagrams&) {});
    Pair::carry(server, client, [](Datagrams&) {});
  }
  if (server.state() == Dtls::State::Failed) CHECK(server.reason().find("takes long") != std::string::npos);
  return server.state() == Dtls::State::Connected;
}

// A peer that may open a session may not stop everybody's packets with a key that takes milliseconds to check.
void heavyKeys() {
  CHECK(connects(rsaKey(2048, "10001")));
  CHECK(connects(Key(EVP_EC_gen("P-384"))));
  CHECK(!connects(rsaKey(2048, "80000000000000000000000000000001")));
  CHECK(!connects(Key(EVP_EC_gen("brainpoolP512r1"))));
}

void goodbye() {
  Pair pair;
  pair.shakeHands();
  CHECK(pair.connected());
  pair.client.close();
  pair.exchange([](Datagrams&) {});
  CHECK(pair.server.state() == Dtls::State::Ended);
  // In plaintext, or from nobody: the connection stays.
  Pair lasting;
  lasting.shakeHands();
  lasting.server.receive(std::vector<uint8_t>{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 1, 0});
  std::vector<uint8_t> forged = {21, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 26};
  forged.resize(13 + 26);
  lasting.server.receive(forged);
  CHECK(lasting.server.state() == Dtls::State::Connected);
  // Before anybody came.
  Dtls early(serverIdentity, expecting(clientIdentity, false));
  early.close();
  CHECK(early.takeDatagrams().empty());
}

}  // namespace

int main() {
  keys();
  badWays();
  strangers();
  wrongPeers();
  heavyKeys();
  goodbye();
  std::puts("handshakes: all good");
}
