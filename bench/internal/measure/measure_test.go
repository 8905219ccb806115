package measure_test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/mithaq/mithaq/bench/internal/measure"
)

func TestThisProcess(t *testing.T) {
	for i, begin := 0, measure.Processor(); measure.Processor() == begin; i++ {
		if i > 1e9 {
			t.Fatal("processor time stands still")
		}
	}
	pid := os.Getpid()
	if got, most := measure.ProcessorOf(pid), measure.ProcessorOfTree(pid); most < got {
		t.Errorf("the process used %s, with its children %s", got, most)
	}
	if now, peak := measure.Resident(pid), measure.Peak(pid); now <= 0 || peak < now {
		t.Errorf("resident %d, at most %d", now, peak)
	}
	if got := measure.Resident(-1); got != 0 {
		t.Errorf("memory of no process: %d", got)
	}
}

func TestReadLists(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"domains": "a.example\nb.example\n", "ips": "192.0.2.1\n", "urls": ""} {
		f, err := os.Create(filepath.Join(dir, name+".txt.gz"))
		if err != nil {
			t.Fatal(err)
		}
		z := gzip.NewWriter(f)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := measure.ReadLists(dir)
	if err != nil || len(l[0]) != 2 || len(l[1]) != 1 || len(l[2]) != 0 {
		t.Errorf("read %+v, %v", l, err)
	}
	if _, err := measure.ReadLists(t.TempDir()); err == nil {
		t.Error("a folder without lists was read")
	}
}
