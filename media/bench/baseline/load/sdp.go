package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	videoPayloadType = 96
	audioPayloadType = 111
)

// offer has video and sound in one direction, as WHIP and WHEP clients send it.
func offer(direction string, p *peer) string {
	port := p.socket.LocalAddr().(*net.UDPAddr).Port
	lines := []string{"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"}
	section := func(mid int, kind string, codec ...string) {
		lines = append(lines,
			fmt.Sprintf("m=%s %d UDP/TLS/RTP/SAVPF %s", kind, port, codec[0]),
			"c=IN IP4 127.0.0.1",
			fmt.Sprintf("a=mid:%d", mid),
			"a="+direction,
			"a=rtcp-mux",
			"a=rtcp-rsize",
			"a=ice-ufrag:"+p.localUfrag,
			"a=ice-pwd:"+p.localPwd,
			"a=fingerprint:sha-256 "+certificateFingerprint,
			"a=setup:actpass",
		)
		lines = append(lines, codec[1:]...)
		if direction == "sendonly" {
			lines = append(lines, "a=msid:bench "+kind, fmt.Sprintf("a=ssrc:%d cname:bench", ssrcOf(kind)))
		}
		lines = append(lines,
			fmt.Sprintf("a=candidate:1 1 udp 2130706431 127.0.0.1 %d typ host", port), "a=end-of-candidates")
	}
	section(0, "video", "96", "a=rtpmap:96 H264/90000",
		"a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		"a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli")
	section(1, "audio", "111", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1")
	return strings.Join(lines, "\r\n") + "\r\n"
}

func ssrcOf(kind string) uint32 {
	if kind == "video" {
		return 4711
	}
	return 4712
}

// answer has the parts that a client needs.
type answer struct {
	ufrag, pwd, fingerprint, setup string
	candidates                     []*net.UDPAddr
}

func parseAnswer(sdp string) (answer, error) {
	var a answer
	for line := range strings.Lines(sdp) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "a=ice-ufrag":
			a.ufrag = value
		case "a=ice-pwd":
			a.pwd = value
		case "a=setup":
			a.setup = value
		case "a=fingerprint":
			_, hash, _ := strings.Cut(value, " ")
			a.fingerprint = strings.ToUpper(hash)
		case "a=candidate":
			fields := strings.Fields(value)
			if len(fields) < 6 || fields[1] != "1" || !strings.EqualFold(fields[2], "udp") {
				continue
			}
			ip := net.ParseIP(fields[4]).To4()
			port, err := strconv.Atoi(fields[5])
			if ip != nil && err == nil && ip.IsLoopback() {
				a.candidates = append(a.candidates, &net.UDPAddr{IP: ip, Port: port})
			}
		}
	}
	if a.ufrag == "" || a.pwd == "" || a.fingerprint == "" {
		return a, fmt.Errorf("the answer lacks ICE credentials or a fingerprint")
	}
	if len(a.candidates) == 0 {
		return a, fmt.Errorf("the answer offers no UDP candidate on loopback: let the server listen on 127.0.0.1")
	}
	return a, nil
}

// post sends an offer by WHIP or WHEP and returns the answer and the session's address.
func post(ctx context.Context, endpoint, token, sdp string) (string, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewBufferString(sdp))
	if err != nil {
		return "", "", err
	}
	request.Header.Set("Content-Type", "application/sdp")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return "", "", err
	}
	if response.StatusCode != http.StatusCreated {
		return "", "", fmt.Errorf("%s answered %s: %s", endpoint, response.Status, body)
	}
	base, err := url.Parse(endpoint)
	if err != nil {
		return "", "", err
	}
	location := response.Header.Get("Location")
	if location == "" {
		return string(body), "", nil
	}
	session, err := base.Parse(location)
	if err != nil {
		return "", "", err
	}
	return string(body), session.String(), nil
}
