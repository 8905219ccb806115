package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// newcert NAME VAR: writes a certificate for 127.0.0.1 that signs itself to NAME.crt and its key to NAME.key, and sets VAR to
// its SHA-256.
func newCert(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: args[0]}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	sum := sha256.Sum256(der)
	ts.Setenv(args[1], hex.EncodeToString(sum[:]))
}

// getcert CODE URL SERVER [CLIENT [FILE]]: asks a server whose certificate is SERVER.crt, with that of CLIENT unless it is
// none, and checks the status. A server that does not listen yet is waited for.
func getCert(ts *testscript.TestScript, _ bool, args []string) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[2] + ".crt")))
	conf := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if len(args) > 3 && args[3] != "none" {
		cert, err := tls.LoadX509KeyPair(ts.MkAbs(args[3]+".crt"), ts.MkAbs(args[3]+".key"))
		ts.Check(err)
		conf.Certificates = []tls.Certificate{cert}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}}
	var resp *http.Response
	err := fmt.Errorf("not asked")
	for deadline := time.Now().Add(scriptPatience); err != nil && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp, err = client.Get(args[1])
	}
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if fmt.Sprint(resp.StatusCode) != args[0] {
		ts.Fatalf("GET %s: %s: %s", args[1], resp.Status, body)
	}
	if len(args) > 4 {
		ts.Check(os.WriteFile(ts.MkAbs(args[4]), body, 0o600))
	}
}
