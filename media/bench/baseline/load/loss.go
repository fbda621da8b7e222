package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"time"
)

type lossResult struct {
	Viewers   int     `json:"viewers"`
	Seconds   float64 `json:"seconds"`
	Loss      float64 `json:"loss"`
	Dropped   int64   `json:"dropped"`
	Repaired  int     `json:"repaired"`
	Lossy     shown   `json:"lossy"`
	Others    shown   `json:"others"`
	OthersOff int     `json:"othersWithLoss"`
}

// shown is what a person sees: the longest time without a new picture, and how many pictures never came.
type shown struct {
	LongestMs float64 `json:"longestMs"`
	Missing   int     `json:"missing"`
	Frames    int     `json:"frames"`
}

// loss makes one of the viewers lose packets at random, and measures what it and the others see.
func loss(ctx context.Context, o options, source *publisher) error {
	all, err := joinMany(ctx, o, o.viewers[0])
	defer func() { leaveAll(all, o.token) }()
	if err != nil {
		return err
	}
	time.Sleep(settle)
	lossy := all[0]
	lossy.peer.dropEvery(func() bool { return rand.Float64() < o.loss })
	lossy.askSooner()
	time.Sleep(settle)
	first, _ := source.counts()
	repairedBefore, _, _ := repairs(all[:1])
	droppedBefore := lossy.peer.dropped.Load()
	start := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(o.seconds * float64(time.Second))):
	}
	last, _ := source.counts()
	result := lossResult{Viewers: len(all), Seconds: time.Since(start).Seconds(), Loss: o.loss}
	result.Dropped = lossy.peer.dropped.Load() - droppedBefore
	time.Sleep(grace)
	repairedAfter, _, _ := repairs(all[:1])
	result.Repaired = repairedAfter - repairedBefore
	result.Lossy = lossy.seen(first+1, last)
	for _, v := range all[1:] {
		seen := v.seen(first+1, last)
		result.Others.LongestMs = max(result.Others.LongestMs, seen.LongestMs)
		result.Others.Missing += seen.Missing
		result.Others.Frames += seen.Frames
		if seen.Missing > 0 {
			result.OthersOff++
		}
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// seen plays the pictures in order: incomplete ones, and all that refer to them, are not shown.
func (v *viewer) seen(first, last int) shown {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	var result shown
	var at int64
	broken := false
	for frame := first; frame < last; frame++ {
		slot := frame % framesKept
		result.Frames++
		whole := v.wholeAt[slot]
		if whole == 0 {
			result.Missing++
			broken = true
		}
		if whole == 0 || (broken && !v.isKeyframe[slot]) {
			continue
		}
		broken = false
		if at != 0 && whole > at {
			result.LongestMs = max(result.LongestMs, float64(whole-at)/1e6)
		}
		at = max(at, whole)
	}
	return result
}
