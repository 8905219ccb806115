package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/fault"
)

const square = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"iso_a2":"XS"},"geometry":{"type":"Polygon","coordinates":[[[10,20],[12,20],[12,22],[10,20]]]}},
 {"type":"Feature","properties":{"party":"norvia"},"geometry":{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5,100],[6,5,100],[6,6,100],[5,5,100]]]]}}]}`

func TestTheMapIsTheOperators(t *testing.T) {
	n := newTestNode(t)
	if _, err := n.Map(); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("without a file: %v", err)
	}
	n.cfg.MapFile = "map.geojson"
	if _, err := n.Map(); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("the file is missing: %v", err)
	}
	if err := os.WriteFile(filepath.Join(n.dir, "map.geojson"), []byte(square), 0o600); err != nil {
		t.Fatal(err)
	}
	v := must(n.Map())(t)
	if len(v.Areas) != 2 || v.Areas[0].Country != "XS" || v.Areas[1].Party != "norvia" || len(v.Areas[1].Rings) != 2 || v.Areas[0].Rings[0][1] != [2]float64{12, 20} {
		t.Errorf("%+v", v)
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"type":"FeatureCollection","features":[{}]}`, strings.Replace(square, "Polygon", "Point", 1), strings.Replace(square, "[12,22]", "[1200,22]", 1), strings.Replace(square, "[12,22]", "[12]", 1)} {
		if _, err := parseMap([]byte(bad)); err == nil {
			t.Errorf("%.60s is a map", bad)
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add([]byte(square))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"geometry":{"type":"Polygon","coordinates":[[[1e999,0]]]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := parseMap(data)
		if err != nil {
			return
		}
		for _, a := range v.Areas {
			for _, ring := range a.Rings {
				for _, p := range ring {
					if !(p[0] >= -180 && p[0] <= 180 && p[1] >= -90 && p[1] <= 90) {
						t.Fatalf("%v", p)
					}
				}
			}
		}
	})
}
