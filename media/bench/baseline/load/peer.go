package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"golang.org/x/net/ipv4"
)

const (
	batchSize        = 48
	datagramBytes    = 1500
	socketBuffer     = 4 << 20
	handshakeTimeout = 20 * time.Second
	leaveTimeout     = 5 * time.Second
	replayWindow     = 2048
)

var (
	certificate            tls.Certificate
	certificateFingerprint string
	epoch                  = time.Now()
)

// now is a monotonic clock in nanoseconds, one for the sender and the receivers.
func now() int64 { return int64(time.Since(epoch)) }

func makeCertificate() error {
	made, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return err
	}
	certificate, certificateFingerprint = made, fingerprint(made.Certificate[0])
	return nil
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// handlers get arriving packets on the socket's own goroutine. The bytes are theirs until they return.
type handlers struct {
	rtp  func(header *rtp.Header, payload []byte, at int64)
	rtcp func(packets []rtcp.Packet)
}

// peer is a WebRTC client of one socket: pion's STUN, DTLS and SRTP without its PeerConnection, so that hundreds of them
// receive in batches and cost less than the server they measure. A plain peer sends packets unencrypted (the floor).
type peer struct {
	socket                 *net.UDPConn
	batch                  *ipv4.PacketConn
	remote                 *net.UDPAddr
	localUfrag, localPwd   string
	remoteUfrag, remotePwd string
	plain                  bool
	handle                 handlers
	sessionURL             string
	profile                srtp.ProtectionProfile

	checked  chan *net.UDPAddr
	dtls     *dtlsPipe
	connDTLS *dtls.Conn
	drops    atomic.Pointer[func() bool]
	dropped  atomic.Int64
	in, out  *srtp.Context
	outRTCP  *srtp.Context
	ready    atomic.Bool
	done     chan struct{}
}

func newPeer(handle handlers) (*peer, error) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	if err := socket.SetReadBuffer(socketBuffer); err != nil {
		return nil, err
	}
	return &peer{
		socket: socket, batch: ipv4.NewPacketConn(socket), handle: handle,
		localUfrag: randomText(8), localPwd: randomText(24),
		checked: make(chan *net.UDPAddr, 1), done: make(chan struct{}),
	}, nil
}

// connect signals, checks and shakes hands; packets flow from then on.
func (p *peer) connect(ctx context.Context, endpoint, token, direction string) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if strings.HasPrefix(endpoint, "udp://") {
		return p.connectPlain(ctx, strings.TrimPrefix(endpoint, "udp://"), direction)
	}
	text, session, err := post(ctx, endpoint, token, offer(direction, p))
	if err != nil {
		return err
	}
	p.sessionURL = session
	parsed, err := parseAnswer(text)
	if err != nil {
		return err
	}
	p.remoteUfrag, p.remotePwd = parsed.ufrag, parsed.pwd
	p.dtls = newDTLSPipe(p)
	go p.read()
	if err := p.connectICE(ctx, parsed.candidates); err != nil {
		return err
	}
	if err := p.handshake(ctx, parsed); err != nil {
		return fmt.Errorf("DTLS: %w", err)
	}
	go p.keepConsent()
	return nil
}

func (p *peer) connectPlain(ctx context.Context, address, direction string) error {
	remote, err := net.ResolveUDPAddr("udp4", address)
	if err != nil {
		return err
	}
	p.plain, p.remote = true, remote
	p.ready.Store(true)
	go p.read()
	if direction == "sendonly" {
		return nil
	}
	// A hello may be lost among packets: the address is recorded once.
	for range 3 {
		if _, err := p.socket.WriteToUDP([]byte("H"), remote); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return ctx.Err()
}

func (p *peer) handshake(ctx context.Context, remote answer) error {
	config := &dtls.Config{
		Certificates: []tls.Certificate{certificate},
		SRTPProtectionProfiles: []dtls.SRTPProtectionProfile{
			dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
		// The certificate is known by its fingerprint, not by an authority.
		InsecureSkipVerify:   true,
		ExtendedMasterSecret: dtls.RequireExtendedMasterSecret,
		ClientAuth:           dtls.RequireAnyClientCert,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || fingerprint(raw[0]) != remote.fingerprint {
				return errors.New("the server's certificate is not the one of its answer")
			}
			return nil
		},
	}
	isClient := remote.setup != "active"
	open := dtls.Client
	if !isClient {
		open = dtls.Server
	}
	conn, err := open(p.dtls, p.remote, config)
	if err != nil {
		return err
	}
	p.connDTLS = conn
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	return p.takeKeys(conn, isClient)
}

func (p *peer) takeKeys(conn *dtls.Conn, isClient bool) error {
	chosen, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return errors.New("the server took no SRTP profile")
	}
	p.profile = srtp.ProtectionProfile(chosen)
	config := srtp.Config{Profile: p.profile}
	state, ok := conn.ConnectionState()
	if !ok {
		return errors.New("the handshake left no state")
	}
	if err := config.ExtractSessionKeysFromDTLS(&state, isClient); err != nil {
		return err
	}
	keys := config.Keys
	var errIn, errOut, errRTCP error
	p.in, errIn = srtp.CreateContext(keys.RemoteMasterKey, keys.RemoteMasterSalt, p.profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindow))
	p.out, errOut = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, p.profile)
	// Reports and packets are sent from different goroutines.
	p.outRTCP, errRTCP = srtp.CreateContext(keys.LocalMasterKey, keys.LocalMasterSalt, p.profile)
	if err := errors.Join(errIn, errOut, errRTCP); err != nil {
		return err
	}
	p.ready.Store(true)
	return nil
}

// read takes everything that is ready at once, until the socket closes.
func (p *peer) read() {
	messages := make([]ipv4.Message, batchSize)
	for i := range messages {
		messages[i].Buffers = [][]byte{make([]byte, datagramBytes)}
	}
	plain := make([]byte, datagramBytes)
	header := &rtp.Header{}
	for {
		n, err := p.batch.ReadBatch(messages, 0)
		if err != nil {
			return
		}
		at := now()
		for _, message := range messages[:n] {
			p.onDatagram(message.Buffers[0][:message.N], message.Addr, header, plain, at)
		}
	}
}

// dropEvery loses a media packet wherever `drops` says so, as if it had never arrived.
func (p *peer) dropEvery(drops func() bool) { p.drops.Store(&drops) }

func (p *peer) onDatagram(datagram []byte, from net.Addr, header *rtp.Header, plain []byte, at int64) {
	if len(datagram) < 12 {
		return
	}
	switch first := datagram[0]; {
	case first < 4 && !p.plain:
		p.onSTUN(datagram, from.(*net.UDPAddr))
	case first >= 20 && first < 64 && !p.plain:
		p.dtls.push(datagram)
	case first >= 128 && first < 192 && p.ready.Load():
		if second := datagram[1]; second >= 192 && second < 224 {
			p.onRTCP(datagram)
		} else if drops := p.drops.Load(); drops != nil && (*drops)() {
			p.dropped.Add(1)
		} else {
			p.onRTP(datagram, header, plain, at)
		}
	}
}

func (p *peer) onRTP(datagram []byte, header *rtp.Header, plain []byte, at int64) {
	length, err := header.Unmarshal(datagram)
	if err != nil {
		return
	}
	packet := datagram
	if !p.plain {
		// An error is a duplicate packet, or one sent under keys that are not agreed on yet.
		if packet, err = p.in.DecryptRTP(plain[:0], datagram, header); err != nil {
			return
		}
	}
	p.handle.rtp(header, packet[length:], at)
}

func (p *peer) onRTCP(datagram []byte) {
	packet := datagram
	if !p.plain {
		var err error
		if packet, err = p.in.DecryptRTCP(nil, datagram, nil); err != nil {
			return
		}
	}
	if packets, err := rtcp.Unmarshal(packet); err == nil && p.handle.rtcp != nil {
		p.handle.rtcp(packets)
	}
}

func (p *peer) sendRTCP(packets ...rtcp.Packet) error {
	if p.plain || !p.ready.Load() {
		return nil
	}
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return err
	}
	if raw, err = p.outRTCP.EncryptRTCP(nil, raw, nil); err != nil {
		return err
	}
	_, err = p.socket.WriteToUDP(raw, p.remote)
	return err
}

func (p *peer) keepConsent() {
	ticker := time.NewTicker(consentInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-ticker.C:
			if p.check(p.remote) != nil {
				return
			}
		}
	}
}

// vanish closes the socket without a goodbye.
func (p *peer) vanish() {
	select {
	case <-p.done:
		return
	default:
	}
	close(p.done)
	_ = p.socket.Close()
	if p.dtls != nil {
		_ = p.dtls.Close()
	}
}

// leave ends the session according to WHIP and WHEP.
func (p *peer) leave(token string) error {
	defer p.vanish()
	if p.sessionURL == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, p.sessionURL, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
