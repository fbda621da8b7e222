// The add-on: a class whose calls become commands of the datapath's thread, and whose callback gets its events in batches.
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <sstream>

#include "arguments.h"
#include "engine.h"
#include "profile-speed.h"

namespace rushlight {

namespace {

// Events delivered in one call; the rest follows in the next, so that JavaScript is never blocked for long.
constexpr uint32_t kEventsPerCall = 1024;

struct Instance {
  std::unique_ptr<Engine> engine;
  napi_env env = nullptr;
  napi_threadsafe_function wake = nullptr;
  std::atomic<bool> scheduled{false};
  bool hooked = false;

  void schedule() {
    if (!scheduled.exchange(true)) napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking);
  }
  // Joins the thread; later calls do nothing.
  void close();
};

void onEnvironmentEnd(void* instance) {
  auto* ended = static_cast<Instance*>(instance);
  ended->hooked = false;
  ended->close();
}

void Instance::close() {
  if (engine == nullptr) return;
  engine.reset();
  napi_release_threadsafe_function(wake, napi_tsfn_abort);
  if (hooked) napi_remove_env_cleanup_hook(env, onEnvironmentEnd, this);
  hooked = false;
}

napi_value eventValue(napi_env env, const Event& event) {
  napi_value tuple = nullptr;
  napi_create_array_with_length(env, 6, &tuple);
  napi_set_element(env, tuple, 0, numberValue(env, static_cast<double>(event.type)));
  napi_set_element(env, tuple, 1, numberValue(env, event.handle));
  napi_set_element(env, tuple, 2, bufferValue(env, event.bytes));
  napi_set_element(env, tuple, 3, numberValue(env, event.number));
  napi_set_element(env, tuple, 4, numberValue(env, event.timestamp));
  napi_set_element(env, tuple, 5, boolValue(env, event.marker));
  return tuple;
}

void deliver(napi_env env, napi_value callback, void* context, void*) {
  auto* instance = static_cast<Instance*>(context);
  if (env == nullptr || instance->engine == nullptr) return;
  instance->scheduled = false;
  napi_value batch = nullptr;
  napi_create_array(env, &batch);
  uint32_t count = 0;
  while (count < kEventsPerCall) {
    const auto event = instance->engine->takeEvent();
    if (!event) break;
    napi_set_element(env, batch, count++, eventValue(env, *event));
  }
  if (count == 0) return;
  if (count == kEventsPerCall) instance->schedule();
  napi_value self = nullptr;
  napi_get_undefined(env, &self);
  if (napi_call_function(env, self, callback, 1, &batch, nullptr) != napi_pending_exception) return;
  napi_value error = nullptr;
  napi_get_and_clear_last_exception(env, &error);
  napi_fatal_exception(env, error);
}

napi_value construct(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  auto* instance = new Instance;
  instance->env = env;
  napi_value name = nullptr;
  napi_create_string_utf8(env, "datapath", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, given.value(0), nullptr, name, 0, 1, nullptr, nullptr, instance, deliver,
                                      &instance->wake) != napi_ok) {
    delete instance;
    napi_throw_type_error(env, nullptr, "a function for events is needed");
    return nullptr;
  }
  // The thread alone does not keep the process alive.
  napi_unref_threadsafe_function(env, instance->wake);
  instance->engine = std::make_unique<Engine>([instance] { instance->schedule(); });
  const auto finalize = [](napi_env, void* data, void*) {
    auto* ended = static_cast<Instance*>(data);
    ended->close();
    delete ended;
  };
  napi_wrap(env, given.self(), instance, finalize, nullptr, nullptr);
  napi_add_env_cleanup_hook(env, onEnvironmentEnd, instance);
  instance->hooked = true;
  return given.self();
}

Instance* instanceOf(napi_env env, const Arguments& given) {
  void* instance = nullptr;
  napi_unwrap(env, given.self(), &instance);
  return static_cast<Instance*>(instance);
}

// Null if the datapath was closed.
Engine* engineOf(napi_env env, const Arguments& given) {
  Instance* instance = instanceOf(env, given);
  return instance == nullptr ? nullptr : instance->engine.get();
}

napi_value post(napi_env env, const Arguments& given, Command command) {
  Engine* engine = engineOf(env, given);
  if (engine != nullptr && !engine->post(std::move(command))) napi_throw_error(env, "DATAPATH_STUCK", "the datapath takes no more commands");
  return nullptr;
}

// (handle, address, port, use, owner, kind): the port bound, or a negative errno.
napi_value addSocket(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  Engine* engine = engineOf(env, given);
  if (engine == nullptr) return numberValue(env, -EBADF);
  auto local = Endpoint::parse(given.text(1), static_cast<uint16_t>(given.unsignedNumber(2)));
  if (!local) return numberValue(env, -EINVAL);
  const auto use = static_cast<SocketUse>(given.unsignedNumber(3));
  const auto open = [&] { return use == SocketUse::Listener ? openTcpListener(*local) : openUdpSocket(*local); };
  int fd = open();
  // One of ours that was closed a moment ago may still have the port.
  if (fd == -EADDRINUSE && engine->settle()) fd = open();
  if (fd < 0) return numberValue(env, fd);
  command::AddSocket command{given.unsignedNumber(0), fd, *local, use, given.unsignedNumber(4),
                             static_cast<Kind>(given.unsignedNumber(5))};
  post(env, given, command);
  return numberValue(env, local->port);
}

napi_value closeSocket(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::CloseSocket{given.unsignedNumber(0)});
}

// (handle, controlling, silenceMs)
napi_value openSession(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::OpenSession{{given.unsignedNumber(0), given.truth(1), given.number(2)}});
}

// (session, ufrag, password, remote ufrag, remote password)
napi_value setIce(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::SetIce{given.unsignedNumber(0), {given.text(1), given.text(2), given.text(3), given.text(4)}});
}

// (session, address, port): false if the address is not numeric.
napi_value addCandidate(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const auto peer = Endpoint::parse(given.text(1), static_cast<uint16_t>(given.unsignedNumber(2)));
  if (peer) post(env, given, command::AddCandidate{given.unsignedNumber(0), *peer});
  return boolValue(env, peer.has_value());
}

// (session, client, profile, fingerprints): each fingerprint is a line with algorithm, space and value.
napi_value startDtls(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  DtlsOptions options;
  options.client = given.truth(1);
  options.preferred = static_cast<SrtpProfile>(given.unsignedNumber(2));
  std::istringstream lines(given.text(3));
  Fingerprint one;
  while (lines >> one.algorithm >> one.value) options.fingerprints.push_back(one);
  return post(env, given, command::StartDtls{given.unsignedNumber(0), std::move(options)});
}

napi_value closeSession(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::CloseSession{given.unsignedNumber(0)});
}

// (handle, kind, clock rate)
napi_value openTrack(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const auto clockRate = std::max<uint32_t>(given.unsignedNumber(2), 1);
  return post(env, given, command::OpenTrack{given.unsignedNumber(0), static_cast<Kind>(given.unsignedNumber(1)), clockRate});
}

napi_value beginSource(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::BeginSource{given.unsignedNumber(0)});
}

// (track, NAL unit)
napi_value setParameterSet(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::SetParameterSet{given.unsignedNumber(0), toVector(given.bytes(1))});
}

napi_value closeTrack(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::CloseTrack{given.unsignedNumber(0)});
}

// (handle, session, video, audio, payload types of video, audio and repairs, bits per second, has capture times, reduced size,
// number of the extension that names a section, names of video and audio, one of several layers, number of the extension that
// numbers the connection's packets)
napi_value openSource(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  SourceOptions options;
  options.handle = given.unsignedNumber(0);
  options.videoPayloadType = static_cast<int>(given.number(4));
  options.audioPayloadType = static_cast<int>(given.number(5));
  options.repairPayloadType = static_cast<int>(given.number(6));
  options.maxBitsPerSecond = static_cast<uint64_t>(std::max(given.number(7), 0.0));
  options.tellsCaptureTime = given.truth(8);
  options.reducedSize = given.truth(9);
  options.sections = {static_cast<int>(given.number(10)), given.text(11), given.text(12)};
  options.layered = given.truth(13);
  options.transportExtension = static_cast<int>(given.number(14));
  return post(env, given, command::OpenSource{options, given.unsignedNumber(2), given.unsignedNumber(3), given.unsignedNumber(1)});
}

napi_value requestKeyframe(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::RequestKeyframe{given.unsignedNumber(0)});
}

// (source, rid, header extension numbers for it and for that of repairs, source of the full layer)
napi_value nameLayer(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  LayerNames names{given.text(1), static_cast<int>(given.number(2)), static_cast<int>(given.number(3))};
  return post(env, given, command::NameLayer{given.unsignedNumber(0), std::move(names), given.unsignedNumber(4)});
}

napi_value closeSource(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::CloseSource{given.unsignedNumber(0)});
}

// (handle, track, session, ssrc, payload type, steady, canonical name, SSRC and payload type of repairs)
napi_value openSink(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  SinkOptions options{given.unsignedNumber(0), given.unsignedNumber(3), static_cast<uint8_t>(given.unsignedNumber(4)), given.truth(5),
                      given.text(6), given.unsignedNumber(7), static_cast<uint8_t>(given.unsignedNumber(8))};
  return post(env, given, command::OpenSink{std::move(options), given.unsignedNumber(1), given.unsignedNumber(2)});
}

// (sink, fresh milliseconds, patience milliseconds)
napi_value join(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::Join{given.unsignedNumber(0), given.number(1), given.number(2)});
}

napi_value pause(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::Pause{given.unsignedNumber(0)});
}

// (sink, track, fresh milliseconds, patience milliseconds)
napi_value moveSink(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::MoveSink{given.unsignedNumber(0), given.unsignedNumber(1), given.number(2), given.number(3)});
}

napi_value closeSink(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  return post(env, given, command::CloseSink{given.unsignedNumber(0)});
}

// (Float64Array): copies as much of the newest statistics as fits and returns the count of numbers.
napi_value snapshot(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  Engine* engine = engineOf(env, given);
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type;
  if (engine == nullptr || napi_get_typedarray_info(env, given.value(0), &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array) {
    return numberValue(env, 0);
  }
  const auto& latest = engine->snapshot();
  if (!latest.empty()) std::memcpy(data, latest.data(), std::min(length, latest.size()) * sizeof(double));
  return numberValue(env, static_cast<double>(latest.size()));
}

// The clock of all times in snapshots.
napi_value now(napi_env env, napi_callback_info) {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return numberValue(env, static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_nsec) / 1e6);
}

// Of the certificate that all sessions use; empty if the datapath was closed.
napi_value fingerprint(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  const Engine* engine = engineOf(env, given);
  return textValue(env, engine == nullptr ? "" : engine->fingerprint());
}

// Returns free memory to the system: the allocator keeps freed blocks that lie between used ones.
napi_value trimMemory(napi_env, napi_callback_info) {
  malloc_trim(0);
  return nullptr;
}

// Number of the SRTP profile that is faster on this processor.
napi_value fasterProfile(napi_env env, napi_callback_info) {
  return numberValue(env, static_cast<double>(measureFasterProfile()));
}

napi_value closeInstance(napi_env env, napi_callback_info info) {
  const Arguments given(env, info);
  if (Instance* instance = instanceOf(env, given)) instance->close();
  return nullptr;
}

napi_value initialize(napi_env env, napi_value exports) {
  const auto method = [](const char* name, napi_callback call) {
    return napi_property_descriptor{name, nullptr, call, nullptr, nullptr, nullptr, napi_default_method, nullptr};
  };
  const napi_property_descriptor methods[] = {
      method("addSocket", addSocket),       method("closeSocket", closeSocket),         method("openSession", openSession),
      method("setIce", setIce),             method("addCandidate", addCandidate),       method("startDtls", startDtls),
      method("fingerprint", fingerprint),   method("closeSession", closeSession),       method("openTrack", openTrack),
      method("beginSource", beginSource),   method("closeTrack", closeTrack),           method("setParameterSet", setParameterSet),
      method("openSource", openSource),
      method("closeSource", closeSource),
      method("nameLayer", nameLayer),   method("requestKeyframe", requestKeyframe), method("openSink", openSink),
      method("join", join),                 method("pause", pause),                     method("closeSink", closeSink),
      method("moveSink", moveSink),
      method("snapshot", snapshot),         method("now", now),                         method("close", closeInstance),
  };
  napi_value constructor = nullptr;
  napi_define_class(env, "Datapath", NAPI_AUTO_LENGTH, construct, nullptr, std::size(methods), methods, &constructor);
  napi_set_named_property(env, exports, "Datapath", constructor);
  napi_value measure = nullptr;
  napi_create_function(env, "fasterProfile", NAPI_AUTO_LENGTH, fasterProfile, nullptr, &measure);
  napi_set_named_property(env, exports, "fasterProfile", measure);
  napi_value trim = nullptr;
  napi_create_function(env, "trimMemory", NAPI_AUTO_LENGTH, trimMemory, nullptr, &trim);
  napi_set_named_property(env, exports, "trimMemory", trim);
  return exports;
}

}  // namespace

}  // namespace rushlight

NAPI_MODULE_INIT() { return rushlight::initialize(env, exports); }
