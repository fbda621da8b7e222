// How the datapath's thread processes JavaScript's commands.
#include "engine.h"

namespace rushlight {

void Engine::workOffCommands() {
  while (auto command = commands_.pop()) std::visit([this](auto& it) { apply(it); }, *command);
}

void Engine::apply(command::AddSocket& it) {
  auto socket = std::make_unique<MediaSocket>(it.handle, it.fd, it.local, it.use);
  if (it.use == SocketUse::Own) {
    Session* owner = sessions_.get(it.owner);
    if (owner == nullptr) return;
    owner->addSocket(socket.get());
  }
  if (it.use == SocketUse::Ingest) {
    socket->ingest = sources_.get(it.owner);
    socket->ingestKind = it.kind;
  }
  setWatch(*socket, EPOLLIN, EPOLL_CTL_ADD);
  sockets_.insert(it.handle, std::move(socket));
}

void Engine::apply(command::CloseSocket& it) {
  auto socket = sockets_.take(it.handle);
  if (socket == nullptr) return;
  socket->flush(context_.counters);
  sessions_.each([&](Session& session) { session.socketClosed(socket.get()); });
}

void Engine::apply(command::OpenSession& it) {
  sessions_.insert(it.options.handle, std::make_unique<Session>(it.options, names_, identity_));
}

void Engine::apply(command::SetIce& it) {
  if (Session* session = sessions_.get(it.session)) session->setIce(std::move(it.ice));
}

void Engine::apply(command::AddCandidate& it) {
  if (Session* session = sessions_.get(it.session)) session->addCandidate(it.peer);
}

void Engine::apply(command::StartDtls& it) {
  if (Session* session = sessions_.get(it.session)) session->startDtls(std::move(it.options));
}

void Engine::apply(command::CloseSession& it) {
  if (const auto session = sessions_.take(it.session)) session->sayGoodbye(context_);
}

void Engine::apply(command::OpenTrack& it) {
  tracks_.insert(it.handle, std::make_unique<Track>(it.handle, it.kind, it.clockRate));
}

void Engine::apply(command::BeginSource& it) {
  if (Track* track = tracks_.get(it.track)) track->beginSource();
}

void Engine::apply(command::SetParameterSet& it) {
  if (Track* track = tracks_.get(it.track)) track->setParameterSet(it.nal, context_);
}

void Engine::apply(command::CloseTrack& it) {
  const auto track = tracks_.take(it.track);
  if (track == nullptr) return;
  sources_.each([&](Source& source) { source.trackGone(track.get()); });
  std::erase(context_.dirty, track.get());
  std::erase(pacing_, track.get());
}

void Engine::apply(command::OpenSource& it) {
  Session* session = sessions_.get(it.session);
  if (it.session != 0 && session == nullptr) return;
  sources_.insert(it.options.handle, std::make_unique<Source>(it.options, tracks_.get(it.video), tracks_.get(it.audio), session));
  // With several layers, the owner of these packets is unknown until the last layer is named.
  if (session != nullptr && !it.options.layered) session->releaseHeld(context_);
}

void Engine::apply(command::RequestKeyframe& it) {
  if (Source* source = sources_.get(it.source)) source->requestKeyframe(context_);
}

void Engine::apply(command::NameLayer& it) {
  if (Source* source = sources_.get(it.source)) source->nameLayer(std::move(it.names), sources_.get(it.full), context_);
}

void Engine::apply(command::CloseSource& it) {
  const auto source = sources_.take(it.source);
  if (source == nullptr) return;
  sockets_.each([&](MediaSocket& socket) {
    if (socket.ingest == source.get()) socket.ingest = nullptr;
  });
}

void Engine::apply(command::OpenSink& it) {
  Track* track = tracks_.get(it.track);
  Session* session = sessions_.get(it.session);
  if (track == nullptr || (it.session != 0 && session == nullptr)) return;
  const Handle handle = it.options.handle;
  sinks_.insert(handle, std::make_unique<Sink>(std::move(it.options), track, session));
}

void Engine::apply(command::Join& it) {
  if (Sink* sink = sinks_.get(it.sink)) sink->join(it.freshMs, it.patienceMs, context_);
}

void Engine::apply(command::Pause& it) {
  if (Sink* sink = sinks_.get(it.sink)) sink->pause(context_);
}

void Engine::apply(command::MoveSink& it) {
  Sink* sink = sinks_.get(it.sink);
  Track* track = tracks_.get(it.track);
  if (sink != nullptr && track != nullptr) sink->moveTo(track, it.freshMs, it.patienceMs, context_);
}

void Engine::apply(command::CloseSink& it) { sinks_.take(it.sink); }

}  // namespace rushlight
