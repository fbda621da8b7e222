// Commands from JavaScript to the datapath's thread. JavaScript assigns the handles; a command for a missing object
// does nothing.
#pragma once
#include <future>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "endpoint.h"
#include "handles.h"
#include "session.h"
#include "sink.h"
#include "source.h"
#include "track.h"
#include "media-socket.h"

namespace rushlight::command {

// Tells that everything before it is done.
struct Fence { std::shared_ptr<std::promise<void>> reached; };
struct AddSocket {
  Handle handle = 0;
  int fd = -1;
  Endpoint local;
  SocketUse use{};
  // Session of a socket of its own, source of an ingest; 0 otherwise.
  Handle owner = 0;
  Kind kind{};
};
struct CloseSocket { Handle handle = 0; };
struct OpenSession { SessionOptions options; };
struct SetIce { Handle session = 0; IceNames ice; };
struct AddCandidate { Handle session = 0; Endpoint peer; };
struct StartDtls { Handle session = 0; DtlsOptions options; };
struct CloseSession { Handle session = 0; };
struct OpenTrack { Handle handle = 0; Kind kind{}; uint32_t clockRate = 0; };
struct BeginSource { Handle track = 0; };
struct SetParameterSet { Handle track = 0; std::vector<uint8_t> nal; };
struct CloseTrack { Handle track = 0; };
// `session` is 0 for an ingest, `video` or `audio` if there is no such track.
struct OpenSource { SourceOptions options; Handle video = 0; Handle audio = 0; Handle session = 0; };
struct RequestKeyframe { Handle source = 0; };
// `full` is the source of the full layer if this is the small one; 0 otherwise.
struct NameLayer { Handle source = 0; LayerNames names; Handle full = 0; };
struct CloseSource { Handle source = 0; };
// `session` is 0 for a reader within this process.
struct OpenSink { SinkOptions options; Handle track = 0; Handle session = 0; };
struct Join { Handle sink = 0; double freshMs = 0; double patienceMs = 0; };
struct Pause { Handle sink = 0; };
struct MoveSink { Handle sink = 0; Handle track = 0; double freshMs = 0; double patienceMs = 0; };
struct CloseSink { Handle sink = 0; };

}  // namespace rushlight::command

namespace rushlight {

using Command = std::variant<std::monostate, command::Fence, command::AddSocket, command::CloseSocket, command::OpenSession, command::SetIce,
                             command::AddCandidate, command::StartDtls, command::CloseSession,
                             command::OpenTrack, command::BeginSource, command::SetParameterSet, command::CloseTrack, command::OpenSource,
                             command::RequestKeyframe, command::NameLayer, command::CloseSource, command::OpenSink, command::Join, command::Pause,
                             command::MoveSink, command::CloseSink>;

}  // namespace rushlight
