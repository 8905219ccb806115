package node

import (
	"reflect"
	"strings"
	"testing"

	toml "github.com/pelletier/go-toml/v2"

	"github.com/mithaq/mithaq/internal/account"
	"github.com/mithaq/mithaq/internal/fault"
)

// The template names every key, once, with its default, and explains it.
func TestConfigTemplateIsTheManual(t *testing.T) {
	cfg, err := parseConfig("mithaq.toml", []byte(configTemplate))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Followers, want.TAXIICertificates, want.Views, want.Feeds = []string{}, []account.Certificate{}, []View{}, []Feed{}
	want.WarningLists = []string{}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("the template says %+v, the defaults are %+v", cfg, want)
	}
	var keys map[string]any
	if err := toml.Unmarshal([]byte(configTemplate), &keys); err != nil {
		t.Fatal(err)
	}
	fields := reflect.TypeFor[Config]()
	if fields.NumField() != len(keys) {
		t.Errorf("the template has %d keys, the configuration %d", len(keys), fields.NumField())
	}
	for i := range fields.NumField() {
		key := fields.Field(i).Tag.Get("toml")
		if _, ok := keys[key]; !ok {
			t.Errorf("the template lacks %s", key)
		}
		before, _, _ := strings.Cut(configTemplate, "\n"+key+" = ")
		paragraph := before[strings.LastIndex(before, "\n\n")+2:]
		if !strings.HasPrefix(paragraph, "# ") {
			t.Errorf("nothing explains %s", key)
		}
	}
}

func TestConfigErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"lisen = \"x:1\"":                 `mithaq.toml:1:1: unknown key "lisen"`,
		"# c\nlisten = 7":                 "mithaq.toml:2:10",
		"listen = \"no port\"":            "HOST:PORT",
		"tls_cert = \"a.pem\"":            "both or neither",
		"public_url = \"ftp://x\"":        "public_url",
		"followers = [\"https://x?y=1\"]": "followers",
		"store = \"mysql://x\"":           "postgres://",
		"log_level = \"loud\"":            "log_level",
		"taxii_rate = -1":                 "taxii_rate",
		"taxii_certificates = [{sha256 = \"12\", token = \"t-x\"}]":                           "64 hexadecimal digits",
		"views = [{name = \"a b\", agreement = \"own\"}]":                                     "views: name",
		"views = [{name = \"a\", agreement = \"own\", tlp = \"X\"}]":                          "TLP 2.0",
		"views = [{name = \"a\", agreement = \"x\"}]":                                         "agreement",
		"feeds = [{name = \"a\", agreement = \"own\", url = \"x\"}]":                          "feeds: a: url",
		"feeds = [{name = \"a\", agreement = \"own\", url = \"https://x\", every = \"1s\"}]":  "10s or more",
		"feeds = [{name = \"a\", agreement = \"own\", url = \"https://x\", secret = \"1s\"}]": "unknown key",
		"receipt_kinds = [\"receipt\"]":                                                       "receipt_kinds",
		"receipt_every = \"1\"":                                                               "receipt_every",
		"no_receipts = [\"x\"]":                                                               "no_receipts",
		"audit_days = -1":                                                                     "audit_days",
		"log_format = \"xml\"":                                                                "log_format",
		"metrics = \"all\"":                                                                   "metrics",
		"listen = \"a:1\"\nlisten = \"b:1\"":                                                  "mithaq.toml:2",
		"listen = \"\x00\"":                                                                   "mithaq.toml:1",
	} {
		_, err := parseConfig("mithaq.toml", []byte(text))
		wantCode(t, err, fault.Invalid)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q in one line", text, err, want)
		}
	}
	if _, err := ReadConfig(t.TempDir()); fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "mithaq init") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestInitialConfigKeepsWhatItIsGiven(t *testing.T) {
	cfg, text, err := initialConfig(t.TempDir(), InitOptions{Listen: "[::1]:9", Store: `postgres://u:p"w@h/db`, KeyFile: `/media/key "1"`})
	if err != nil || cfg.Listen != "[::1]:9" || cfg.Store != `postgres://u:p"w@h/db` || cfg.KeyFile != `/media/key "1"` {
		t.Errorf("%+v %v", cfg, err)
	}
	if !strings.Contains(text, "# Where the node listens") {
		t.Error("the manual was lost")
	}
	if cfg, _, err := initialConfig(t.TempDir(), InitOptions{PassphraseFile: "p"}); err != nil || cfg.KeyFile != "" {
		t.Errorf("%+v %v", cfg, err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(configTemplate))
	f.Add([]byte("listen = \"x:1\"\nfollowers = [\"http://a\", 3]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig("f", data)
		if err != nil {
			if fault.CodeOf(err) != fault.Invalid {
				t.Errorf("%v has no code", err)
			}
			return
		}
		if err := c.check(); err != nil {
			t.Error(err)
		}
		_ = c.BaseURL() // must not panic
	})
}
