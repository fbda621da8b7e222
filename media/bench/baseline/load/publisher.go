package main

import (
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"golang.org/x/net/ipv4"
)

const (
	framesPerSecond = 30
	ticksPerFrame   = 90000 / framesPerSecond
	packetsPerFrame = 15
	payloadBytes    = 1100
	audioInterval   = 20 * time.Millisecond
	audioBytes      = 80
	ringSize        = 4096
	reportInterval  = time.Second
	// A stamped payload: FU indicator, FU header and the start of a slice header, then the time of sending and the frame's number.
	timeOffset  = 8
	frameOffset = 16
	stampedSize = 20
)

// libx264's parameter sets of 1280x720 constrained baseline.
var parameterSets = [][]byte{unhex("6742c01fda014016ec0440000003004000000f03c60ca8"), unhex("68ce3c80")}

func unhex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return raw
}

// publisher sends 4 Mbit/s of what a server accepts as H.264, a frame at once, and sound; it answers NACKs, and PLIs unless it is deaf.
type publisher struct {
	peer      *peer
	gopFrames int
	deaf      bool

	mutex          sync.Mutex
	ring           [ringSize][]byte
	frame          int
	packets        int
	repaired       int
	keyframeWanted bool
	keyframes      int

	videoSequence, audioSequence uint16
	audioFrame                   int
	batch                        []ipv4.Message
}

func newPublisher(gopSeconds float64) (*publisher, error) {
	p := &publisher{gopFrames: max(1, int(gopSeconds*framesPerSecond))}
	var err error
	p.peer, err = newPeer(handlers{
		rtp:  func(*rtp.Header, []byte, int64) {},
		rtcp: p.onRTCP,
	})
	return p, err
}

// run paces frames and sound until the peer ends.
func (p *publisher) run() error {
	start := time.Now()
	nextReport := reportInterval
	for {
		videoDue := time.Duration(p.frame) * time.Second / framesPerSecond
		audioDue := time.Duration(p.audioFrame) * audioInterval
		time.Sleep(min(videoDue, audioDue) - time.Since(start))
		select {
		case <-p.peer.done:
			return nil
		default:
		}
		elapsed := time.Since(start)
		if elapsed >= audioDue {
			if err := p.sendAudio(); err != nil {
				return err
			}
		}
		if elapsed >= videoDue {
			if err := p.sendFrame(); err != nil {
				return err
			}
		}
		if elapsed >= nextReport {
			nextReport += reportInterval
			if err := p.report(); err != nil {
				return err
			}
		}
	}
}

func (p *publisher) sendFrame() error {
	p.mutex.Lock()
	isKeyframe := p.frame%p.gopFrames == 0 || p.keyframeWanted
	p.keyframeWanted = false
	p.mutex.Unlock()
	sentAt := now()
	p.batch = p.batch[:0]
	if isKeyframe {
		for _, set := range parameterSets {
			if err := p.add(set, false); err != nil {
				return err
			}
		}
	}
	var payload [payloadBytes]byte
	for i := range packetsPerFrame {
		payload[0], payload[1], payload[2], payload[3] = 0x5c, 1, 0x9a, 0x24
		if isKeyframe {
			payload[0], payload[1], payload[2], payload[3] = 0x7c, 5, 0x88, 0x84
		}
		if i == 0 {
			payload[1] |= 0x80
		}
		if i == packetsPerFrame-1 {
			payload[1] |= 0x40
		}
		binary.BigEndian.PutUint64(payload[timeOffset:], uint64(sentAt))
		binary.BigEndian.PutUint32(payload[frameOffset:], uint32(p.frame))
		if err := p.add(payload[:], i == packetsPerFrame-1); err != nil {
			return err
		}
	}
	for sent := 0; sent < len(p.batch); {
		n, err := p.peer.batch.WriteBatch(p.batch[sent:], 0)
		if err != nil {
			return err
		}
		sent += n
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.frame++
	p.packets += len(p.batch)
	if isKeyframe {
		p.keyframes++
	}
	return nil
}

// add puts a packet of the current frame into the batch and into the ring for repairs.
func (p *publisher) add(payload []byte, marker bool) error {
	packet := rtp.Packet{Header: rtp.Header{Version: 2, Marker: marker, PayloadType: videoPayloadType,
		SequenceNumber: p.videoSequence, Timestamp: uint32(p.frame * ticksPerFrame), SSRC: ssrcOf("video")}, Payload: payload}
	raw, err := p.protect(&packet)
	if err != nil {
		return err
	}
	p.mutex.Lock()
	p.ring[int(p.videoSequence)%ringSize] = raw
	p.mutex.Unlock()
	p.videoSequence++
	p.batch = append(p.batch, ipv4.Message{Buffers: [][]byte{raw}, Addr: p.peer.remote})
	return nil
}

func (p *publisher) protect(packet *rtp.Packet) ([]byte, error) {
	raw, err := packet.Marshal()
	if err != nil || p.peer.plain {
		return raw, err
	}
	return p.peer.out.EncryptRTP(nil, raw, nil)
}

func (p *publisher) sendAudio() error {
	packet := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: audioPayloadType, SequenceNumber: p.audioSequence,
		Timestamp: uint32(p.audioFrame * 960), SSRC: ssrcOf("audio")}, Payload: make([]byte, audioBytes)}
	raw, err := p.protect(&packet)
	if err != nil {
		return err
	}
	p.audioSequence++
	p.audioFrame++
	p.mutex.Lock()
	p.packets++
	p.mutex.Unlock()
	_, err = p.peer.socket.WriteToUDP(raw, p.peer.remote)
	return err
}

func (p *publisher) report() error {
	wall := time.Now()
	ntp := uint64(wall.Unix()+2208988800)<<32 | uint64(wall.Nanosecond())<<32/1e9
	return p.peer.sendRTCP(
		&rtcp.SenderReport{SSRC: ssrcOf("video"), NTPTime: ntp, RTPTime: uint32(p.frame * ticksPerFrame), PacketCount: uint32(p.videoSequence)},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: ssrcOf("video"),
			Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "bench"}}}}},
		&rtcp.SenderReport{SSRC: ssrcOf("audio"), NTPTime: ntp, RTPTime: uint32(p.audioFrame * 960), PacketCount: uint32(p.audioSequence)},
	)
}

func (p *publisher) onRTCP(packets []rtcp.Packet) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, packet := range packets {
		switch typed := packet.(type) {
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			p.keyframeWanted = !p.deaf
		case *rtcp.TransportLayerNack:
			for _, pair := range typed.Nacks {
				pair.Range(func(sequence uint16) bool {
					if raw := p.ring[int(sequence)%ringSize]; raw != nil {
						_, _ = p.peer.socket.WriteToUDP(raw, p.peer.remote)
						p.repaired++
					}
					return true
				})
			}
		}
	}
}

// ignoreRequests makes the publisher deaf to PLI and FIR.
func (p *publisher) ignoreRequests(deaf bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.deaf = deaf
}

// counts returns the frames and packets sent so far.
func (p *publisher) counts() (frame, packets int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.frame, p.packets
}
