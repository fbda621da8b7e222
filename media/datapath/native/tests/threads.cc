// The datapath's thread and its queues.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <thread>

#include "../src/context.h"
#include "../src/engine.h"
#include "../src/queue.h"
#include "../src/rtp.h"
#include "../src/stun.h"
#include "check.h"


using namespace rushlight;

namespace {

// Whatever others send, a session learns that it is connected.
void vitalEvents() {
  Context context;
  for (int i = 0; i < 10'000; i++) context.events.push({EventType::ParameterSet, 1});
  CHECK(context.events.push({EventType::Connected, 2}));
}

void betweenThreads() {
  Queue<std::vector<uint8_t>> queue(16);
  std::thread producer([&] {
    for (uint32_t i = 0; i < 20'000;) {
      std::vector<uint8_t> value(4);
      write32(value.data(), i);
      if (queue.push(value)) i++;
      else std::this_thread::yield();
    }
  });
  for (uint32_t i = 0; i < 20'000;) {
    const auto value = queue.pop();
    if (!value) {
      std::this_thread::yield();
      continue;
    }
    CHECK(read32(value->data()) == i++);
  }
  producer.join();
}

// Many feeds with long groups of pictures do not fill the memory of a board.
void sharedMemory() {
  for (const size_t memoryBytes : {size_t{1} << 30, size_t{1} << 20}) {
    Engine engine([] {}, memoryBytes);
    SourceOptions options;
    options.handle = 0x10001;
    CHECK(engine.post(command::OpenTrack{0x10000, Kind::Video, kVideoClockHz}));
    CHECK(engine.post(command::OpenSource{options, 0x10000, 0, 0}));
    Endpoint ingest = *Endpoint::parse("127.0.0.1", 0);
    const int fd = openUdpSocket(ingest);
    CHECK(engine.post(command::AddSocket{0x10002, fd, ingest, SocketUse::Ingest, options.handle, Kind::Video}) && engine.settle());
    Endpoint own = *Endpoint::parse("127.0.0.1", 0);
    const int pipeline = openUdpSocket(own);
    sockaddr_storage to;
    const socklen_t bytes = ingest.toSocket(to);
    for (uint16_t sequence = 0; sequence < 2000; sequence++) {
      std::vector<uint8_t> packet(kRtpHeaderBytes + 1300);
      writeRtpHeader(packet.data(), true, 96, sequence, sequence * 3000u, 42);
      const std::vector<uint8_t> sps = {0x67, 0x42, 0xc0, 0x1f, 0xda};
      if (sequence == 0) std::memcpy(packet.data() + kRtpHeaderBytes, sps.data(), sps.size());
      else packet[kRtpHeaderBytes] = sequence == 2 ? 0x65 : sequence == 1 ? 0x68 : 0x41;
      CHECK(sendto(pipeline, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), bytes) > 0);
      if (sequence % 20 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const double remembered = engine.snapshot()[SnapshotLayout::kHead + 6];
    CHECK(memoryBytes > 2'000'000 ? remembered > 2'000'000 : remembered > 0 && remembered <= 1 << 20);
    close(pipeline);
  }
}

// Linux before 5.11, or a container that forbids what is newer: packets still arrive. From here on this applies to the whole process.
void oldKernel() {
  const sock_filter forbid[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {std::size(forbid), const_cast<sock_filter*>(forbid)};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  Engine engine([] {});
  Endpoint local = *Endpoint::parse("127.0.0.1", 0);
  Endpoint peer = local;
  const int fd = openUdpSocket(local);
  CHECK(engine.post(command::AddSocket{0x10000, fd, local, SocketUse::Shared, 0, Kind::Video}));
  CHECK(engine.post(command::OpenSession{{0x10001, false, 10'000}}));
  CHECK(engine.post(command::SetIce{0x10001, {"here", "password", "there", "remote"}}));
  CHECK(engine.settle());
  const int other = openUdpSocket(peer);
  sockaddr_storage to;
  const socklen_t bytes = local.toSocket(to);
  const auto check = stun::buildCheck({}, "here:there", {}, "password");
  CHECK(sendto(other, check.data(), check.size(), 0, reinterpret_cast<sockaddr*>(&to), bytes) > 0);
  pollfd answer = {other, POLLIN, 0};
  CHECK(poll(&answer, 1, 2000) == 1);
  close(other);
}

}  // namespace

int main() {
  vitalEvents();
  betweenThreads();
  sharedMemory();
  oldKernel();
  std::puts("threads: all good");
}
