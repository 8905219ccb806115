package main

import (
	"runtime"
	"runtime/debug"
)

// firstGC is the percentage with which a heap is 64 MiB large before garbage is collected for the first time: with the usual one it is
// 4 MiB. Making the tables that packets need would go through what is in use half a dozen times.
const firstGC = 1600

// lateGC is for commands that read packets and end soon. From the first collection on all is as usual; what the operator says (GOGC)
// holds from the beginning.
func (a *app) lateGC() {
	if a.env("GOGC") != "" {
		return
	}
	usual := debug.SetGCPercent(firstGC)
	collected := make([]byte, 64) // nobody has it: the first collection finds it; smaller ones share their place with others
	runtime.AddCleanup(&collected[0], func(percent int) { debug.SetGCPercent(percent) }, usual)
}
