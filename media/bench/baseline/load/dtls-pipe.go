package main

import (
	"crypto/rand"
	"encoding/base64"
	"net"
	"sync"
	"time"
)

const pipeDepth = 64

// dtlsPipe is the part of a peer's socket that its DTLS connection sees.
type dtlsPipe struct {
	peer     *peer
	incoming chan []byte
	closed   chan struct{}
	once     sync.Once
	mutex    sync.Mutex
	deadline time.Time
}

func newDTLSPipe(p *peer) *dtlsPipe {
	return &dtlsPipe{peer: p, incoming: make(chan []byte, pipeDepth), closed: make(chan struct{})}
}

// push keeps a copy; DTLS repeats what a full pipe loses.
func (d *dtlsPipe) push(datagram []byte) {
	select {
	case d.incoming <- append([]byte{}, datagram...):
	default:
	}
}

func (d *dtlsPipe) ReadFrom(buffer []byte) (int, net.Addr, error) {
	d.mutex.Lock()
	deadline := d.deadline
	d.mutex.Unlock()
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case datagram := <-d.incoming:
		return copy(buffer, datagram), d.peer.remote, nil
	case <-d.closed:
		return 0, nil, net.ErrClosed
	case <-expired:
		return 0, nil, timeoutError{}
	}
}

func (d *dtlsPipe) WriteTo(datagram []byte, _ net.Addr) (int, error) {
	return d.peer.socket.WriteToUDP(datagram, d.peer.remote)
}

func (d *dtlsPipe) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

func (d *dtlsPipe) LocalAddr() net.Addr { return d.peer.socket.LocalAddr() }

func (d *dtlsPipe) SetReadDeadline(deadline time.Time) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.deadline = deadline
	return nil
}

func (d *dtlsPipe) SetDeadline(deadline time.Time) error { return d.SetReadDeadline(deadline) }

func (d *dtlsPipe) SetWriteDeadline(time.Time) error { return nil }

type timeoutError struct{}

func (timeoutError) Error() string   { return "the pipe's deadline has passed" }
func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// randomText returns that many characters of those that ICE allows.
func randomText(length int) string {
	raw := make([]byte, length)
	_, _ = rand.Read(raw)
	text := base64.StdEncoding.EncodeToString(raw)
	return text[:length]
}
