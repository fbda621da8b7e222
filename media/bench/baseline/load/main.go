// Command load is the benchmark's load generator: one WHIP publisher and many WHEP viewers. It prints JSON lines of raw
// figures; `media/bench/` makes tables of them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	warmUp           = 1500 * time.Millisecond
	settle           = 2 * time.Second
	grace            = 500 * time.Millisecond
	joinsAtOnce      = 4
	soakJoinsAtOnce  = 8
	soakVanishEvery  = 4
	soakStay         = 300 * time.Millisecond
	soakForget       = 45 * time.Second
	pauseBetweenJoin = 1500 * time.Millisecond
	// Garbage is collected rarely: a collection would add a delay that is not the server's.
	garbagePercent = 800
)

type options struct {
	whip, whep, token string
	pids              []int
	viewers           []int
	seconds, gop      float64
	deaf              bool
	joins             int
	loss              float64
}

func main() {
	log.SetFlags(0)
	mode, o, err := parse()
	if err == nil {
		debug.SetGCPercent(garbagePercent)
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		err = run(ctx, mode, o)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func parse() (string, options, error) {
	var o options
	flag.StringVar(&o.whip, "whip", "", "WHIP endpoint; udp://host:port of the floor")
	flag.StringVar(&o.whep, "whep", "", "WHEP endpoint; udp://host:port of the floor")
	flag.StringVar(&o.token, "token", "", "bearer token of both")
	flag.Float64Var(&o.seconds, "seconds", 10, "how long to measure")
	flag.Float64Var(&o.gop, "gop", 2, "seconds between keyframes")
	flag.BoolVar(&o.deaf, "deaf", false, "the publisher ignores requests for keyframes")
	flag.IntVar(&o.joins, "joins", 20, "how many joins")
	flag.Float64Var(&o.loss, "loss", 0.03, "share of the packets that one viewer loses")
	pids := flag.String("pid", "", "processes of the server, separated by commas")
	viewers := flag.String("viewers", "10", "how many viewers, separated by commas, rising")
	mode := flag.String("mode", "fanout", "fanout, join, loss or soak")
	flag.Parse()
	var err error
	if o.pids, err = numbers(*pids); err != nil {
		return "", o, fmt.Errorf("-pid: %w", err)
	}
	if o.viewers, err = numbers(*viewers); err != nil {
		return "", o, fmt.Errorf("-viewers: %w", err)
	}
	return *mode, o, nil
}

func numbers(text string) ([]int, error) {
	var all []int
	for _, part := range strings.Split(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func run(ctx context.Context, mode string, o options) error {
	if err := makeCertificate(); err != nil {
		return err
	}
	source, err := newPublisher(o.gop)
	if err != nil {
		return err
	}
	if err := source.peer.connect(ctx, o.whip, o.token, "sendonly"); err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	defer func() { _ = source.peer.leave(o.token) }()
	go func() {
		if err := source.run(); err != nil {
			select {
			case <-source.peer.done:
			default:
				log.Fatal("publisher: ", err)
			}
		}
	}()
	// A server may miss what comes right after the handshake: until viewers come, the publisher listens.
	time.Sleep(warmUp)
	source.ignoreRequests(o.deaf)
	switch mode {
	case "fanout":
		return fanOut(ctx, o, source)
	case "join":
		return join(ctx, o)
	case "loss":
		return loss(ctx, o, source)
	case "soak":
		return soak(ctx, o, source)
	}
	return fmt.Errorf("there is no mode %q", mode)
}

// fanOut measures at each count of viewers, one after the other; earlier viewers stay.
func fanOut(ctx context.Context, o options, source *publisher) error {
	var all []*viewer
	defer func() { leaveAll(all, o.token) }()
	for _, count := range o.viewers {
		added, err := joinMany(ctx, o, count-len(all))
		all = append(all, added...)
		if err != nil {
			return err
		}
		time.Sleep(settle)
		result, err := measure(o, source, all)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
			return err
		}
	}
	return nil
}

type fanOutResult struct {
	Viewers          int       `json:"viewers"`
	Seconds          float64   `json:"seconds"`
	PublishedPackets int       `json:"publishedPackets"`
	CPUMicros        int64     `json:"cpuUs"`
	LoadCPUMicros    int64     `json:"loadCpuUs"`
	ExpectedPackets  int       `json:"expectedPackets"`
	DeliveredPackets int       `json:"deliveredPackets"`
	Repaired         int       `json:"repaired"`
	Unrepaired       int       `json:"unrepaired"`
	Nacks            int       `json:"nacks"`
	DelaysUs         []uint32  `json:"delaysUs"`
	JoinsMs          []float64 `json:"joinsMs"`
	Keyframes        int       `json:"keyframes"`
	Profile          string    `json:"profile"`
	Usage            usage     `json:"usage"`
}

func measure(o options, source *publisher, all []*viewer) (fanOutResult, error) {
	result := fanOutResult{Viewers: len(all), Profile: "plain"}
	before, err := usageOf(o.pids)
	if err != nil {
		return result, err
	}
	firstFrame, packetsBefore := source.counts()
	firstFrame++
	repairedBefore, unrepairedBefore, nacksBefore := repairs(all)
	ownBefore, start := ownCPUMicros(), time.Now()
	time.Sleep(time.Duration(o.seconds * float64(time.Second)))
	result.Seconds = time.Since(start).Seconds()
	lastFrame, packetsAfter := source.counts()
	if result.Usage, err = usageOf(o.pids); err != nil {
		return result, err
	}
	result.CPUMicros = result.Usage.CPUMicros - before.CPUMicros
	result.LoadCPUMicros = ownCPUMicros() - ownBefore
	result.PublishedPackets = packetsAfter - packetsBefore
	time.Sleep(grace)
	repaired, unrepaired, nacks := repairs(all)
	result.Repaired, result.Unrepaired, result.Nacks = repaired-repairedBefore, unrepaired-unrepairedBefore, nacks-nacksBefore
	result.Keyframes = source.keyframes
	for _, v := range all {
		v.mutex.Lock()
		for frame := firstFrame; frame < lastFrame; frame++ {
			slot := frame % framesKept
			result.ExpectedPackets += packetsPerFrame
			result.DeliveredPackets += int(min(v.perFrame[slot], packetsPerFrame))
			if v.delays[slot] > 0 {
				result.DelaysUs = append(result.DelaysUs, v.delays[slot])
			}
		}
		v.mutex.Unlock()
		keyframe, _ := v.msToKeyframe()
		result.JoinsMs = append(result.JoinsMs, keyframe)
		if !v.peer.plain {
			result.Profile = v.peer.profile.String()
		}
	}
	return result, nil
}

func repairs(all []*viewer) (repaired, unrepaired, nacks int) {
	for _, v := range all {
		v.mutex.Lock()
		repaired += v.repaired
		unrepaired += v.unrepaired
		nacks += v.nacks
		v.mutex.Unlock()
	}
	return repaired, unrepaired, nacks
}

// joinMany connects so many viewers, several at once, and gives up at the first failure.
func joinMany(ctx context.Context, o options, count int) ([]*viewer, error) {
	var mutex sync.Mutex
	var group sync.WaitGroup
	var all []*viewer
	var failure error
	slots := make(chan struct{}, joinsAtOnce)
	hasFailed := func() bool {
		mutex.Lock()
		defer mutex.Unlock()
		return failure != nil
	}
	for range count {
		slots <- struct{}{}
		if hasFailed() {
			break
		}
		group.Add(1)
		go func() {
			defer func() { <-slots; group.Done() }()
			v, err := newViewer()
			if err == nil {
				err = v.join(ctx, o.whep, o.token)
			}
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				failure = fmt.Errorf("viewer %d: %w", len(all)+1, err)
				return
			}
			all = append(all, v)
		}()
	}
	group.Wait()
	return all, failure
}

// leaveAll disconnects everybody at once: a server that is too slow to notice is killed anyway.
func leaveAll(all []*viewer, token string) {
	var group sync.WaitGroup
	for _, v := range all {
		group.Go(func() { _ = v.peer.leave(token) })
	}
	group.Wait()
}

type joinResult struct {
	Joins      int       `json:"joins"`
	KeyframeMs []float64 `json:"keyframeMs"`
	LiveMs     []float64 `json:"liveMs"`
	GOPSeconds float64   `json:"gopSeconds"`
	Deaf       bool      `json:"deaf"`
}

// join adds viewers one after the other at random moments of the group of pictures.
func join(ctx context.Context, o options) error {
	result := joinResult{Joins: o.joins, GOPSeconds: o.gop, Deaf: o.deaf}
	for range o.joins {
		time.Sleep(time.Duration(rand.Int64N(int64(pauseBetweenJoin))))
		v, err := newViewer()
		if err != nil {
			return err
		}
		if err := v.join(ctx, o.whep, o.token); err != nil {
			return err
		}
		deadline := time.Now().Add(time.Duration((o.gop + 3) * float64(time.Second)))
		keyframe, live := v.msToKeyframe()
		for live < 0 && time.Now().Before(deadline) && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
			keyframe, live = v.msToKeyframe()
		}
		result.KeyframeMs = append(result.KeyframeMs, keyframe)
		result.LiveMs = append(result.LiveMs, live)
		if err := v.peer.leave(o.token); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

type soakResult struct {
	Joins    int          `json:"joins"`
	Vanished int          `json:"vanished"`
	Failed   int          `json:"failed"`
	Before   usage        `json:"before"`
	During   usage        `json:"during"`
	After    usage        `json:"after"`
	Stayed   fanOutResult `json:"stayed"`
}

// soak keeps some viewers while many others come and go, every fourth without goodbye, and checks that the server forgets them.
func soak(ctx context.Context, o options, source *publisher) error {
	stayers, err := joinMany(ctx, o, o.viewers[0])
	defer func() { leaveAll(stayers, o.token) }()
	if err != nil {
		return err
	}
	time.Sleep(settle)
	result := soakResult{Joins: o.joins}
	if result.Before, err = usageOf(o.pids); err != nil {
		return err
	}
	var mutex sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, soakJoinsAtOnce)
	for i := range o.joins {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		group.Add(1)
		go func() {
			defer func() { <-slots; group.Done() }()
			vanishes := i%soakVanishEvery == 0
			failed := comeAndGo(ctx, o, vanishes) != nil
			mutex.Lock()
			defer mutex.Unlock()
			if failed {
				result.Failed++
			} else if vanishes {
				result.Vanished++
			}
		}()
	}
	group.Wait()
	if result.During, err = usageOf(o.pids); err != nil {
		return err
	}
	time.Sleep(soakForget)
	if result.Stayed, err = measure(o, source, stayers); err != nil {
		return err
	}
	if result.After, err = usageOf(o.pids); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func comeAndGo(ctx context.Context, o options, vanishes bool) error {
	v, err := newViewer()
	if err != nil {
		return err
	}
	if err := v.join(ctx, o.whep, o.token); err != nil {
		v.peer.vanish()
		return err
	}
	time.Sleep(soakStay)
	if vanishes {
		v.peer.vanish()
		return nil
	}
	return v.peer.leave(o.token)
}
