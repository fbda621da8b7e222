package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/pion/stun/v4"
)

const (
	checkInterval   = 50 * time.Millisecond
	consentInterval = 4 * time.Second
)

// connectICE checks every candidate until one answers, as the controlling agent.
func (p *peer) connectICE(ctx context.Context, candidates []*net.UDPAddr) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		for _, candidate := range candidates {
			if err := p.check(candidate); err != nil {
				return err
			}
		}
		select {
		case p.remote = <-p.checked:
			return nil
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("no candidate of %v answered: %w", candidates, ctx.Err())
		}
	}
}

func (p *peer) check(to *net.UDPAddr) error {
	message, err := stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(p.remoteUfrag+":"+p.localUfrag),
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: []byte("rushbnch")},
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0x7f, 0x1e, 0xff}},
		stun.NewShortTermIntegrity(p.remotePwd), stun.Fingerprint)
	if err != nil {
		return err
	}
	_, err = p.socket.WriteToUDP(message.Raw, to)
	return err
}

// onSTUN answers checks of the server and handles its answers to ours.
func (p *peer) onSTUN(datagram []byte, from *net.UDPAddr) {
	request := &stun.Message{Raw: append([]byte{}, datagram...)}
	if request.Decode() != nil {
		return
	}
	switch request.Type {
	case stun.BindingSuccess:
		select {
		case p.checked <- from:
		default:
		}
	case stun.BindingRequest:
		response, err := stun.Build(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingSuccess,
			&stun.XORMappedAddress{IP: from.IP, Port: from.Port},
			stun.NewShortTermIntegrity(p.localPwd), stun.Fingerprint)
		if err == nil {
			_, _ = p.socket.WriteToUDP(response.Raw, from)
		}
	}
}
