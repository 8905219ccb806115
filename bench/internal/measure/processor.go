package measure

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Processor is the processor time that this process has used: the machine may be busy with other things, so the clock says less.
func Processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tick is the unit of processor time in /proc/PID/stat (USER_HZ, 100 a second on every Linux).
const tick = time.Second / 100

// ProcessorOf is the processor time of another process, all its threads together; 0 when it is gone.
func ProcessorOf(pid int) time.Duration {
	// proc(5): fields 14 and 15, which are 11 and 12 after the name in parentheses, whatever the name holds.
	f := statFields(pid)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick
}

// ProcessorOfTree is ProcessorOf of a process and of all that stem from it and still run: a server with its workers.
func ProcessorOfTree(pid int) time.Duration {
	sum := time.Duration(0)
	for _, p := range tree(pid) {
		sum += ProcessorOf(p)
	}
	return sum
}

// tree lists a process and its descendants.
func tree(root int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []int{root}
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := statFields(pid); len(f) > 1 {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], pid)
		}
	}
	out := []int{root}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// statFields are the fields of /proc/PID/stat after the name: the state, the parent, …
func statFields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	text := string(b)
	return strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
}

// Load says how busy the machine is with everybody's work: the averages over 1, 5 and 15 minutes.
func Load() string {
	b, err := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	if err != nil || len(f) < 3 {
		return "load not known"
	}
	return "load " + strings.Join(f[:3], " ")
}
