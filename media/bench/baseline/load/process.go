package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// usage is the CPU time and memory of the server's processes.
type usage struct {
	CPUMicros   int64 `json:"cpuUs"`
	RSSKiB      int64 `json:"rssKib"`
	PSSKiB      int64 `json:"pssKib"`
	Descriptors int   `json:"descriptors"`
	Threads     int   `json:"threads"`
}

func usageOf(pids []int) (usage, error) {
	var sum usage
	for _, pid := range pids {
		one, err := usageOfOne(pid)
		if err != nil {
			return sum, err
		}
		sum.CPUMicros += one.CPUMicros
		sum.RSSKiB += one.RSSKiB
		sum.PSSKiB += one.PSSKiB
		sum.Descriptors += one.Descriptors
		sum.Threads += one.Threads
	}
	return sum, nil
}

// cpuMicros is the sum of utime and stime in /proc/<pid>/stat, not rounded to ticks of 10 ms: the process's CPU clock
// (clock_getcpuclockid(3)), all its threads together.
func cpuMicros(pid int) (int64, error) {
	const perProcess = 2
	var time unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|perProcess), &time); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Nano() / 1000, nil
}

func usageOfOne(pid int) (usage, error) {
	var u usage
	var err error
	if u.CPUMicros, err = cpuMicros(pid); err != nil {
		return u, err
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return u, err
	}
	u.Threads = len(threads)
	memory, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(memory)) {
		parts := strings.Fields(line)
		if len(parts) < 2 {
			continue
		}
		amount, _ := strconv.ParseInt(parts[1], 10, 64)
		switch parts[0] {
		case "Rss:":
			u.RSSKiB = amount
		case "Pss:":
			u.PSSKiB = amount
		}
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.Descriptors = len(open)
	return u, err
}

func ownCPUMicros() int64 {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return (r.Utime.Sec+r.Stime.Sec)*1e6 + int64(r.Utime.Usec) + int64(r.Stime.Usec)
}
