package measure

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Resident is how many bytes of memory a process has now, 0 when it is gone.
func Resident(pid int) int64 { return status(pid, "VmRSS") }

// Peak is the most it has had so far, 0 when it is gone.
func Peak(pid int) int64 { return status(pid, "VmHWM") }

// Own is what a process has now that is its own: neither the program's text nor pages of files, which the kernel can drop.
func Own(pid int) int64 { return status(pid, "RssAnon") }

// status reads one field of /proc/PID/status that is in kB, as bytes.
func status(pid int, field string) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}
