package main

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

const (
	framesKept    = 1 << 15
	maxMissing    = 1024
	nackTries     = 8
	nackInterval  = 50 * time.Millisecond
	hastyInterval = 10 * time.Millisecond
	pliAfter      = 500 * time.Millisecond
	pliInterval   = time.Second
	liveWithin    = 100 * time.Millisecond
	ownSSRC       = 99
	nalTypeMask   = 0x1f
	nalTypeIDR    = 5
	nalTypeFUA    = 28
	maxDelayMicro = 1<<32 - 1
)

// viewer receives, decrypts, counts, and reports as a browser does: receiver reports, NACKs and PLIs.
type viewer struct {
	peer *peer

	mutex    sync.Mutex
	askedAt  int64
	video    stream
	audio    stream
	missing  map[uint16]int
	perFrame []uint8
	// Microseconds from the sending of a frame to its last packet; 0 if it is incomplete.
	delays     []uint32
	wholeAt    []int64
	isKeyframe []bool
	hurries    atomic.Bool
	keyframeAt int64
	liveAt     int64
	repaired   int
	unrepaired int
	nacks      int
}

// stream has what reports need about one stream.
type stream struct {
	ssrc    uint32
	highest uint32
	packets int
}

func newViewer() (*viewer, error) {
	v := &viewer{missing: map[uint16]int{}, perFrame: make([]uint8, framesKept), delays: make([]uint32, framesKept),
		wholeAt: make([]int64, framesKept), isKeyframe: make([]bool, framesKept)}
	var err error
	v.peer, err = newPeer(handlers{rtp: v.onRTP})
	return v, err
}

func (v *viewer) join(ctx context.Context, endpoint, token string) error {
	v.askedAt = now()
	if err := v.peer.connect(ctx, endpoint, token, "recvonly"); err != nil {
		return err
	}
	go v.giveFeedback()
	return nil
}

func (v *viewer) onRTP(header *rtp.Header, payload []byte, at int64) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	if header.PayloadType == audioPayloadType {
		v.audio.take(header)
		return
	}
	v.noteGap(header.SequenceNumber)
	v.video.take(header)
	if len(payload) < stampedSize || payload[0]&nalTypeMask != nalTypeFUA {
		return
	}
	frame := int(binary.BigEndian.Uint32(payload[frameOffset:])) % framesKept
	v.perFrame[frame]++
	if v.perFrame[frame] != packetsPerFrame {
		return
	}
	v.wholeAt[frame], v.isKeyframe[frame] = at, payload[1]&nalTypeMask == nalTypeIDR
	delay := at - int64(binary.BigEndian.Uint64(payload[timeOffset:]))
	v.delays[frame] = uint32(max(1, min(delay/1000, maxDelayMicro)))
	if v.keyframeAt == 0 && payload[1]&nalTypeMask == nalTypeIDR {
		v.keyframeAt = at
	}
	if v.keyframeAt != 0 && v.liveAt == 0 && delay < int64(liveWithin) {
		v.liveAt = at
	}
}

func (s *stream) take(header *rtp.Header) {
	s.packets++
	step := int16(header.SequenceNumber - uint16(s.highest))
	if s.ssrc == 0 {
		s.ssrc, s.highest = header.SSRC, uint32(header.SequenceNumber)
	} else if step > 0 {
		s.highest += uint32(step)
	}
}

// noteGap remembers missing packets and forgets those that arrive late.
func (v *viewer) noteGap(sequence uint16) {
	if v.video.ssrc == 0 {
		return
	}
	step := int16(sequence - uint16(v.video.highest))
	if step <= 0 {
		if _, wasMissing := v.missing[sequence]; wasMissing {
			delete(v.missing, sequence)
			v.repaired++
		}
		return
	}
	for gap := uint16(v.video.highest) + 1; gap != sequence && len(v.missing) < maxMissing; gap++ {
		v.missing[gap] = 0
	}
}

// askSooner makes it request missing packets as soon as browsers do.
func (v *viewer) askSooner() { v.hurries.Store(true) }

func (v *viewer) giveFeedback() {
	ticker := time.NewTicker(nackInterval)
	defer ticker.Stop()
	lastReport, lastPLI := time.Now(), time.Now().Add(pliAfter-pliInterval)
	for {
		select {
		case <-v.peer.done:
			return
		case <-ticker.C:
		}
		if v.hurries.CompareAndSwap(true, false) {
			ticker.Reset(hastyInterval)
		}
		var packets []rtcp.Packet
		v.mutex.Lock()
		if time.Since(lastReport) >= reportInterval {
			lastReport = time.Now()
			packets = append(packets, v.receiverReport())
		}
		if v.keyframeAt == 0 && v.video.ssrc != 0 && time.Since(lastPLI) >= pliInterval {
			lastPLI = time.Now()
			packets = append(packets, &rtcp.PictureLossIndication{SenderSSRC: ownSSRC, MediaSSRC: v.video.ssrc})
		}
		if lost := v.toAskFor(); len(lost) > 0 {
			v.nacks++
			packets = append(packets, &rtcp.TransportLayerNack{SenderSSRC: ownSSRC, MediaSSRC: v.video.ssrc,
				Nacks: rtcp.NackPairsFromSequenceNumbers(lost)})
		}
		v.mutex.Unlock()
		if len(packets) > 0 && v.peer.sendRTCP(packets...) != nil {
			return
		}
	}
}

func (v *viewer) receiverReport() *rtcp.ReceiverReport {
	report := &rtcp.ReceiverReport{SSRC: ownSSRC}
	for _, s := range []stream{v.video, v.audio} {
		if s.ssrc != 0 {
			report.Reports = append(report.Reports, rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: s.highest})
		}
	}
	return report
}

// toAskFor returns what is still missing, and gives up on what was requested too often.
func (v *viewer) toAskFor() []uint16 {
	var lost []uint16
	for sequence, tries := range v.missing {
		if tries == nackTries {
			delete(v.missing, sequence)
			v.unrepaired++
			continue
		}
		v.missing[sequence] = tries + 1
		lost = append(lost, sequence)
	}
	return lost
}

// msToKeyframe is the time from the offer to a complete keyframe, and to a current frame; negative if there was none.
func (v *viewer) msToKeyframe() (keyframe, live float64) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	since := func(at int64) float64 {
		if at == 0 {
			return -1
		}
		return float64(at-v.askedAt) / 1e6
	}
	return since(v.keyframeAt), since(v.liveAt)
}
