// Command packets measures how many packets a second of processor time mithaq reads, beside Suricata and tshark on the same
// file, in turns, with the peak memory of each.
//
//	go run ./bench/packets --captures DIR --mithaq BINARY [--copies 400] [--rounds 3] [--segments 10] [--gap 20us] [--suricata FILE]
//
// The captures of DIR are too small to measure anything, so they are written many times into one file, with other
// addresses in every copy: connections do not repeat. Packets are as far apart as in their captures, or all as far as --gap says.
// Suricata runs offline with one worker, without
// rules, its output cut to TLS, QUIC, DNS, HTTP and flows, once with the configuration that its package brings (--suricata) and once with
// next to none; mithaq detect matches a list of one indicator; tshark and
// mithaq fingerprint write the same fields of the hellos. A program that is not installed is left out.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/mithaq/mithaq/bench/internal/measure"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "packets:", err)
		os.Exit(1)
	}
}

type side struct {
	name string
	argv []string
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("packets", flag.ContinueOnError)
	captures := flags.String("captures", "", "folder of captures, with folders in it")
	binaryName := flags.String("mithaq", "mithaq", "the program")
	copies := flags.Int("copies", 400, "how often each capture stands in the file")
	keep := flags.String("keep", "", "folder to write the files to that are read, and to leave them in")
	rounds := flags.Int("rounds", 3, "how often each program runs")
	gap := flags.Duration("gap", 0, "how far apart all packets are; 0: as in their captures")
	packaged := flags.String("suricata", "/etc/suricata/suricata.yaml", "Suricata's configuration, of which the outputs are left out")
	segments := flags.Int("segments", 0, "how many full segments more each direction of TCP sends")
	tsharkCopies := flags.Int("tshark-copies", 20, "the same for tshark, which is slow, and what runs beside it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *captures == "" {
		return errors.New("--captures DIR is needed")
	}
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "packets"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	large, small := filepath.Join(dir, "large.pcap"), filepath.Join(dir, "small.pcap")
	frames, err := readFrames(*captures)
	if err != nil {
		return err
	}
	frames = goOn(frames, *segments)
	many, err := repeat(frames, large, *copies, *gap)
	if err != nil {
		return err
	}
	few, err := repeat(frames, small, *tsharkCopies, *gap)
	if err != nil {
		return err
	}
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte("bad.example\n"), 0o600); err != nil {
		return err
	}
	fields := []string{"tshark", "-r", small, "-n", "-Y", "tls.handshake.type == 1", "-T", "fields"}
	for _, f := range []string{"ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tls.handshake.extensions_server_name", "tls.handshake.extensions_alpn_str", "tls.handshake.ja3"} {
		fields = append(fields, "-e", f)
	}
	fmt.Fprintf(out, "%d packets for Suricata, %d for tshark; %s\n", many, few, measure.Load())
	ours := side{"mithaq detect", []string{*binaryName, "detect", "--indicators", list, large}}
	for name, text := range configurations(*packaged) {
		config := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			return err
		}
		argv := []string{"suricata", "-c", config, "-r", large, "-l", dir, "-k", "none", "--runmode", "single", "-S", "/dev/null"}
		if err := compare(out, *rounds, many, ours, side{"suricata, " + name, argv}); err != nil {
			return err
		}
	}
	return compare(out, *rounds, few, side{"mithaq fingerprint", []string{*binaryName, "fingerprint", "--json", small}}, side{"tshark", fields})
}

// compare runs the sides in turns and prints the best round of each, and what ours is to the other: of the best rounds, and
// in the middle of the rounds, which is fairer where other programs disturb some of them.
func compare(out io.Writer, rounds int, packets int64, sides ...side) error {
	best := make([]float64, len(sides))
	var ratios []float64
	for round := range rounds {
		rates := make([]float64, len(sides))
		for i, s := range sides {
			if _, err := exec.LookPath(s.argv[0]); err != nil {
				fmt.Fprintf(out, "%s is not installed\n", s.name)
				continue
			}
			used, memory, err := take(s.argv)
			if err != nil {
				return fmt.Errorf("running %s: %w", s.name, err)
			}
			rate := float64(packets) / used.Seconds()
			rates[i], best[i] = rate, max(best[i], rate)
			fmt.Fprintf(out, "round %d: %-20s %10.0f packets/CPU s, %6.2f CPU s, %4d MiB\n", round+1, s.name, rate, used.Seconds(), memory>>20)
		}
		if len(sides) == 2 && rates[1] > 0 {
			ratios = append(ratios, rates[0]/rates[1])
		}
	}
	if len(sides) == 2 && best[1] > 0 {
		slices.Sort(ratios)
		fmt.Fprintf(out, "%s is %.1f times %s in the middle of %d rounds (%.1f to %.1f), %.1f times by the best of each\n", sides[0].name,
			ratios[len(ratios)/2], sides[1].name, rounds, ratios[0], ratios[len(ratios)-1], best[0]/best[1])
	}
	return nil
}

// take runs a program and gives its processor time and the most memory it had.
func take(argv []string) (used time.Duration, memory int64, err error) {
	cmd := exec.Command(argv[0], argv[1:]...) // #nosec G204 -- a benchmark runs what it compares
	var told strings.Builder
	cmd.Stderr = &told
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("%w: %.500s", err, told.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, 0, errors.New("the system tells no usage")
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), usage.Maxrss << 10, nil
}
