package house_test

// The rules, as data. What is true of a folder is true of everything below it.

// floors is the house from the roof to the ground: a folder imports only folders that stand below it.
// ARCHITECTURE.md prints the same list, and a test holds the two together.
var floors = []string{
	"cmd/mithaq",
	"ui",
	"internal/web",
	"internal/api",
	"internal/node",
	"internal/detect",
	"internal/intake",
	"internal/exercise",
	"internal/desk",
	"internal/account",
	"internal/entry",
	"internal/foreign",
	"internal/federate",
	"taxii",
	"internal/fault",
	"internal/ledger",
	"internal/store",
	"internal/coding",
	"internal/notify",
	"internal/fetch",
	"internal/record",
	"internal/exchange",
	"internal/policy",
	"internal/facts",
	"internal/agreement",
	"internal/arabic",
	"stix",
}

// pure is the first floor of the ground on which no I/O happens: that floor and all below it take time and randomness
// as parameters. The design asks it of record, policy, agreement and stix; facts and arabic stand between them, and
// one of those with I/O in it would carry it into the domain.
const pure = "internal/record"

// beside holds folders that belong to no floor: they may import any, and no floor may import them.
var beside = []string{"bench", "tools", "internal/house"}

// public libraries and the only other folders of this module each may import: people use them without the rest.
var public = map[string][]string{
	"stix":  nil,
	"taxii": {"stix"},
}

// impureImports reach outside the process. A path stands for everything below it as well, save what pureImports names.
var impureImports = []string{"os", "net", "syscall", "database/sql", "io/ioutil", "log", "path/filepath", "runtime/debug", "testing"}

// pureImports look like the above by their path and only compute.
var pureImports = []string{"net/netip", "net/url", "net/mail", "net/textproto", "log/slog"}

// impureNames read a clock, wait, log, or draw from randomness that nobody passed in: import path to names.
var impureNames = map[string][]string{
	"time":        {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation"},
	"log/slog":    {"Debug", "Info", "Warn", "Error", "Log", "LogAttrs", "Default", "SetDefault", "With"},
	"crypto/rand": {"Reader", "Read", "Int", "Prime", "Text"},
	"math/rand": {"ExpFloat64", "Float32", "Float64", "Int", "Int31", "Int31n", "Int63", "Int63n", "Intn", "NormFloat64",
		"Perm", "Read", "Seed", "Shuffle", "Uint32", "Uint64"},
	"math/rand/v2": {"ExpFloat64", "Float32", "Float64", "Int", "Int32", "Int32N", "Int64", "Int64N", "IntN", "N",
		"NormFloat64", "Perm", "Shuffle", "Uint", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN"},
}

// endings stop the process from inside; only a main package may, because a deferred release never runs after them.
var endings = map[string][]string{
	"os":  {"Exit"},
	"log": {"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf", "Panicln"},
}

// testOnly are modules that serve as an independent oracle or a double: production code must not lean on what checks it.
var testOnly = []string{
	"github.com/transparency-dev/tessera",
	"github.com/johannesboyne/gofakes3",
	"github.com/nats-io/nats-server",
	"github.com/santhosh-tekuri/jsonschema",
	"github.com/rogpeppe/go-internal",
	"pgregory.net/rapid",
	"go.uber.org/goleak",
	"testing",
}

// vagueNames say nothing about what is inside, or hide a package of the standard library.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "lib", "http"}

// A file is one concept. Test files are tables and may be longer.
const (
	maxLines     = 600
	maxTestLines = 1000
)

// longFiles are longer than that, each with the reason why it reads better whole. An entry that is no longer needed
// fails the test.
var longFiles = map[string]string{}
