// Command pion-server is the baseline of the benchmark: the smallest WHIP and WHEP server that Pion allows.
// One feed at /whip/bench and /whep/bench, with sound, Pion's default interceptors (NACK, reports, TWCC), nothing else.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

const (
	packetBytes       = 1600
	keyframeInterval  = time.Second
	socketBufferBytes = 8 << 20
)

type hub struct {
	api      *webrtc.API
	video    *webrtc.TrackLocalStaticRTP
	audio    *webrtc.TrackLocalStaticRTP
	sessions sync.Map
	nextID   atomic.Int64

	mutex         sync.Mutex
	publisher     *webrtc.PeerConnection
	publisherSSRC uint32
	lastKeyframe  time.Time
}

var (
	h264 = webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
		SDPFmtpLine:  "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}},
	}
	opus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address of the HTTP server")
	shared := flag.Bool("shared-socket", false, "one UDP socket for all sessions, instead of one for each")
	flag.Parse()
	hub, err := newHub(*shared)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /whip/bench", hub.serve(hub.addPublisher))
	mux.HandleFunc("POST /whep/bench", hub.serve(hub.addViewer))
	mux.HandleFunc("DELETE /session/{id}", hub.end)
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, mux))
}

func newHub(shared bool) (*hub, error) {
	engine := &webrtc.MediaEngine{}
	if err := engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: h264, PayloadType: 96}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	if err := engine.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetLite(true)
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if shared {
		socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		if err := errors.Join(socket.SetReadBuffer(socketBufferBytes), socket.SetWriteBuffer(socketBufferBytes)); err != nil {
			return nil, err
		}
		settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, socket))
	} else {
		settings.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	}
	video, err := webrtc.NewTrackLocalStaticRTP(h264, "video", "bench")
	if err != nil {
		return nil, err
	}
	audio, err := webrtc.NewTrackLocalStaticRTP(opus, "audio", "bench")
	if err != nil {
		return nil, err
	}
	// Without a custom registry, the API has Pion's default interceptors.
	api := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings))
	return &hub{api: api, video: video, audio: audio}, nil
}

// serve answers an offer once set up by `add`.
func (h *hub) serve(add func(*webrtc.PeerConnection) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		offer, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		peer, answer, err := h.answer(string(offer), add)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		id := fmt.Sprint(h.nextID.Add(1))
		h.sessions.Store(id, peer)
		peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
			switch state {
			case webrtc.PeerConnectionStateConnected:
				h.requestKeyframe()
			case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
				h.sessions.Delete(id)
				_ = peer.Close()
			}
		})
		w.Header().Set("Content-Type", "application/sdp")
		w.Header().Set("Location", "/session/"+id)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	}
}

func (h *hub) answer(offer string, add func(*webrtc.PeerConnection) error) (*webrtc.PeerConnection, string, error) {
	peer, err := h.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, "", err
	}
	err = func() error {
		if err := add(peer); err != nil {
			return err
		}
		if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
			return err
		}
		answer, err := peer.CreateAnswer(nil)
		if err != nil {
			return err
		}
		gathered := webrtc.GatheringCompletePromise(peer)
		if err := peer.SetLocalDescription(answer); err != nil {
			return err
		}
		<-gathered
		return nil
	}()
	if err != nil {
		return nil, "", errors.Join(err, peer.Close())
	}
	return peer, peer.LocalDescription().SDP, nil
}

func (h *hub) end(w http.ResponseWriter, r *http.Request) {
	if peer, found := h.sessions.LoadAndDelete(r.PathValue("id")); found {
		_ = peer.(*webrtc.PeerConnection).Close()
	}
	w.WriteHeader(http.StatusOK)
}

func (h *hub) addPublisher(peer *webrtc.PeerConnection) error {
	peer.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		local := h.audio
		if remote.Kind() == webrtc.RTPCodecTypeVideo {
			local = h.video
			h.mutex.Lock()
			h.publisher, h.publisherSSRC = peer, uint32(remote.SSRC())
			h.mutex.Unlock()
		}
		buffer := make([]byte, packetBytes)
		for {
			n, _, err := remote.Read(buffer)
			if err != nil {
				return
			}
			// A viewer that has just left is no reason to stop: Write reports it, and the next packet goes to the others.
			_, _ = local.Write(buffer[:n])
		}
	})
	return nil
}

func (h *hub) addViewer(peer *webrtc.PeerConnection) error {
	for _, track := range []webrtc.TrackLocal{h.video, h.audio} {
		sender, err := peer.AddTrack(track)
		if err != nil {
			return err
		}
		go h.readFeedback(sender)
	}
	return nil
}

func (h *hub) readFeedback(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			if _, isPLI := packet.(*rtcp.PictureLossIndication); isPLI {
				h.requestKeyframe()
			}
		}
	}
}

// requestKeyframe asks the publisher at most once a second.
func (h *hub) requestKeyframe() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.publisher == nil || time.Since(h.lastKeyframe) < keyframeInterval {
		return
	}
	h.lastKeyframe = time.Now()
	_ = h.publisher.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: h.publisherSSRC}})
}
