package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/mithaq/mithaq/internal/fault"
)

// MapView is the operator's geometry for the map of parties. The program ships none: borders are contested.
type MapView struct {
	Areas []MapArea `json:"areas"`
}

// MapArea is one area of the map.
type MapArea struct {
	Country string         `json:"country,omitempty" doc:"ISO 3166-1 alpha-2, as the file says"`
	Party   string         `json:"party,omitempty" doc:"Party id or label, as the file says"`
	Rings   [][][2]float64 `json:"rings" doc:"Closed lines of longitude and latitude in degrees"`
}

const (
	// maxMapBytes and maxMapPoints bound the operator's file.
	maxMapBytes  = 16 << 20
	maxMapPoints = 200_000
)

// Map reads the geometry that map_file names; fault.NotFound where it names none.
func (n *Node) Map() (MapView, error) {
	if n.cfg.MapFile == "" {
		return MapView{}, fault.New(fault.NotFound, "name one under map_file in "+ConfigName, "drawing a map: no geometry is given")
	}
	path := Within(n.dir, n.cfg.MapFile)
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return MapView{}, fault.New(fault.NotFound, "correct map_file in "+ConfigName, "drawing a map: %s does not exist", path)
	}
	if err != nil {
		return MapView{}, &fault.Fault{Code: fault.Unavailable, What: "drawing a map", Err: err}
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxMapBytes+1))
	if err != nil {
		return MapView{}, &fault.Fault{Code: fault.Unavailable, What: "drawing a map", Err: err}
	}
	v, err := parseMap(data)
	if err != nil {
		return MapView{}, &fault.Fault{Code: fault.Invalid, What: "drawing a map: reading " + path, Err: err, Remedy: "give a GeoJSON FeatureCollection (RFC 7946) of polygons"}
	}
	return v, nil
}

// parseMap reads a GeoJSON FeatureCollection (RFC 7946): polygons, with whom each is for in its properties.
func parseMap(data []byte) (v MapView, err error) {
	if len(data) > maxMapBytes {
		return v, fmt.Errorf("it is larger than %d bytes", maxMapBytes)
	}
	var c struct {
		Type     string `json:"type"`
		Features []struct {
			Geometry struct {
				Type        string          `json:"type"`
				Coordinates json.RawMessage `json:"coordinates"`
			} `json:"geometry"`
			Properties map[string]any `json:"properties"`
		} `json:"features"`
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return v, err
	}
	if c.Type != "FeatureCollection" {
		return v, fmt.Errorf("its type is %q", c.Type)
	}
	v.Areas = []MapArea{}
	points := 0
	for i, f := range c.Features {
		area := MapArea{Country: property(f.Properties, "country", "iso_a2", "ISO_A2", "ISO3166-1-Alpha-2"), Party: property(f.Properties, "party")}
		var polygons [][][][]float64
		switch f.Geometry.Type {
		case "Polygon":
			polygons = make([][][][]float64, 1)
			err = json.Unmarshal(f.Geometry.Coordinates, &polygons[0])
		case "MultiPolygon":
			err = json.Unmarshal(f.Geometry.Coordinates, &polygons)
		default:
			err = fmt.Errorf("geometry %q is no polygon", f.Geometry.Type)
		}
		if err != nil {
			return MapView{}, fmt.Errorf("feature %d: %w", i, err)
		}
		for _, p := range polygons {
			for _, ring := range p {
				line, err := ringOf(ring)
				if err != nil {
					return MapView{}, fmt.Errorf("feature %d: %w", i, err)
				}
				if points += len(line); points > maxMapPoints {
					return MapView{}, fmt.Errorf("it has more than %d points", maxMapPoints)
				}
				area.Rings = append(area.Rings, line)
			}
		}
		v.Areas = append(v.Areas, area)
	}
	return v, nil
}

func ringOf(ring [][]float64) ([][2]float64, error) {
	out := make([][2]float64, 0, len(ring))
	for _, p := range ring {
		if len(p) < 2 || math.Abs(p[0]) > 180 || math.Abs(p[1]) > 90 {
			return nil, fmt.Errorf("a position is not longitude and latitude in degrees")
		}
		out = append(out, [2]float64{p[0], p[1]})
	}
	return out, nil
}

// property is the first of some properties that is a short text.
func property(all map[string]any, names ...string) string {
	for _, name := range names {
		if s, ok := all[name].(string); ok && s != "" && len(s) <= 64 {
			return s
		}
	}
	return ""
}
