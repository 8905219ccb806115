package account

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// Kinds of what people sign in with besides a password.
const (
	FactorPasskey = "passkey" // signs in by itself
	FactorTOTP    = "totp"    // codes (RFC 6238), asked for after the password
	FactorOIDC    = "oidc"    // somebody whom the party's OpenID provider names
)

// codePeriod is how long a code holds, codeSkew how many periods the person's clock may be off either way, and codeID the id
// of the one secret that a person may have.
const (
	codePeriod = 30 * time.Second
	codeSkew   = 1
	codeDigits = otp.DigitsSix
	codeID     = "codes"
	codeBytes  = 20
)

// mostFactors is how many factors a person may have.
const mostFactors = 20

// FactorView is a factor without its secret.
type FactorView struct {
	Kind    string     `json:"kind" enum:"passkey,totp,oidc"`
	ID      string     `json:"id"`
	Label   string     `json:"label"`
	Created time.Time  `json:"created"`
	Used    *time.Time `json:"used,omitempty" doc:"When the person last signed in with it"`
}

// SubjectRequest names somebody as the OpenID provider does.
type SubjectRequest struct {
	Subject string `json:"subject" minLength:"1" maxLength:"255" doc:"The claim that the configuration says: sub, or a verified e-mail address"`
}

// FactorsGone is how many ways to sign in were taken away.
type FactorsGone struct {
	Gone int64 `json:"gone"`
}

// Factors lists what a person signs in with besides a password.
func (a *Accounts) Factors(ctx context.Context, person string) ([]FactorView, error) {
	list, err := a.opts.Store.Factors(ctx, person)
	out := make([]FactorView, 0, len(list))
	for _, f := range list {
		out = append(out, FactorView{Kind: f.Kind, ID: f.ID, Label: f.Label, Created: f.Created, Used: optional(f.Used)})
	}
	return out, fault.OfStore(err)
}

// RemoveFactor takes a factor from a person.
func (a *Accounts) RemoveFactor(ctx context.Context, person, kind, id string) error {
	err := a.opts.Store.RemoveFactor(ctx, person, kind, id)
	if errors.Is(err, store.ErrNotFound) {
		return fault.New(fault.NotFound, "", "removing a way to sign in: there is none such")
	}
	return fault.OfStore(err)
}

// ResetFactors takes all factors from a person who has lost them, and tells how many there were.
func (a *Accounts) ResetFactors(ctx context.Context, person string) (FactorsGone, error) {
	if _, err := a.Person(ctx, person); err != nil {
		return FactorsGone{}, fault.New(fault.NotFound, "see 'mithaq user list'", "resetting how a person signs in: nobody named %s may sign in", fault.Clip(person))
	}
	gone, err := a.opts.Store.RemoveFactors(ctx, person)
	return FactorsGone{Gone: gone}, fault.OfStore(err)
}

// CodesOffer is a secret for a program that shows codes. It holds once a code of it is given.
type CodesOffer struct {
	Secret string `json:"secret" doc:"Base32"`
	URI    string `json:"uri" doc:"otpauth://, for the program"`
	Image  string `json:"image" doc:"The same as a QR code: a data URI of a PNG image"`
}

// qrSize is the side of a QR code, in pixels.
const qrSize = 240

// OfferCodes makes a secret. Nothing is kept of it.
func (a *Accounts) OfferCodes(person string) (CodesOffer, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: a.issuer(), AccountName: person, SecretSize: codeBytes, Digits: codeDigits, Period: uint(codePeriod / time.Second), Rand: a.opts.Rand})
	if err != nil {
		return CodesOffer{}, fmt.Errorf("making a secret for codes: %w", err)
	}
	picture, err := key.Image(qrSize, qrSize)
	if err != nil {
		return CodesOffer{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return CodesOffer{}, fmt.Errorf("drawing a QR code: %w", err)
	}
	return CodesOffer{Secret: key.Secret(), URI: key.URL(), Image: "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())}, nil
}

// codesData is what is kept of a secret.
type codesData struct {
	Secret string `json:"secret"`
	Last   int64  `json:"last"` // the period of the last code that was taken: none is taken twice
}

// secretBase32 is how programs that show codes write secrets.
var secretBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// AddCodes makes a person's sign-in ask for codes of a secret, which a first code shows that the person has.
func (a *Accounts) AddCodes(ctx context.Context, person, secret, code string) error {
	data := codesData{Secret: secret}
	if raw, err := secretBase32.DecodeString(secret); err != nil || len(raw) < codeBytes {
		return fault.New(fault.Invalid, "ask for a new one", "adding codes: the secret is not one that this node made")
	}
	if !data.take(code, a.now()) {
		return fault.New(fault.Forbidden, "enter the one that the program shows now; check the clock of the telephone and of the node", "adding codes: the code is wrong")
	}
	return a.addFactor(ctx, store.Factor{Person: person, Kind: FactorTOTP, ID: codeID}, data)
}

// take checks a code at a time and notes it.
func (d *codesData) take(code string, now time.Time) bool {
	code = strings.Map(func(r rune) rune {
		if r == ' ' {
			return -1
		}
		return latinDigit(r)
	}, code)
	for off := -codeSkew; off <= codeSkew; off++ {
		at := now.Add(time.Duration(off) * codePeriod)
		period := at.Unix() / int64(codePeriod/time.Second)
		ok, err := totp.ValidateCustom(code, d.Secret, at, totp.ValidateOpts{Period: uint(codePeriod / time.Second), Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && ok && period > d.Last {
			d.Last = period
			return true
		}
	}
	return false
}

// latinDigit is the digit that an Arabic or Persian keyboard writes, as 0 to 9.
func latinDigit(r rune) rune {
	switch {
	case r >= '٠' && r <= '٩':
		return '0' + r - '٠'
	case r >= '۰' && r <= '۹':
		return '0' + r - '۰'
	}
	return r
}

// checkCode asks for a code where the person has codes. fault.Second says that one is missing.
func (a *Accounts) checkCode(ctx context.Context, person, code string) error {
	list, err := a.opts.Store.Factors(ctx, person)
	if err != nil {
		return err
	}
	for _, f := range list {
		if f.Kind != FactorTOTP {
			continue
		}
		if code == "" {
			return fault.New(fault.Second, "enter it", "signing in: a code of the program on the telephone is wanted as well")
		}
		var data codesData
		if err := json.Unmarshal(f.Data, &data); err != nil {
			return fmt.Errorf("reading a secret for codes: %w", err)
		}
		if !data.take(code, a.now()) {
			return fault.New(fault.Forbidden, "wait for the next one", "signing in: the code is wrong or was used")
		}
		used, err := a.useFactor(ctx, f, data)
		if err == nil && !used {
			err = fault.New(fault.Forbidden, "wait for the next one", "signing in: the code was used")
		}
		return err
	}
	return nil
}

// AddPasskey keeps a passkey of a person under its credential id.
func (a *Accounts) AddPasskey(ctx context.Context, person, id, label string, credential any) error {
	if !utf8.ValidString(label) || len(label) > 200 {
		return fault.New(fault.Invalid, "shorten it", "adding a passkey: its name is longer than 200 bytes")
	}
	return a.addFactor(ctx, store.Factor{Person: person, Kind: FactorPasskey, ID: id, Label: label}, credential)
}

func (a *Accounts) addFactor(ctx context.Context, f store.Factor, data any) error {
	list, err := a.opts.Store.Factors(ctx, f.Person)
	if err != nil {
		return fault.OfStore(err)
	}
	if len(list) >= mostFactors {
		return fault.New(fault.Conflict, "remove one", "adding a way to sign in: there are %d already", len(list))
	}
	if f.Data, err = json.Marshal(data); err != nil {
		return fmt.Errorf("adding a way to sign in: %w", err)
	}
	f.Created = a.now().Truncate(time.Microsecond)
	return fault.OfStore(a.opts.Store.AddFactor(ctx, f))
}

// useFactor writes what a use changed of a factor; false says that another use was quicker.
func (a *Accounts) useFactor(ctx context.Context, f store.Factor, data any) (bool, error) {
	before := f.Data
	var err error
	if f.Data, err = json.Marshal(data); err != nil {
		return false, fmt.Errorf("noting a way to sign in: %w", err)
	}
	f.Used = a.now().Truncate(time.Microsecond)
	used, err := a.opts.Store.UseFactor(ctx, f, before)
	return used, fault.OfStore(err)
}

// BindSubject lets a person sign in as somebody whom the party's OpenID provider names. A name is one person's.
func (a *Accounts) BindSubject(ctx context.Context, person, subject string) (PersonView, error) {
	p, err := a.Person(ctx, person)
	if err != nil {
		return p, fault.New(fault.NotFound, "see 'mithaq user list'", "binding an OpenID subject: nobody named %s may sign in", fault.Clip(person))
	}
	if !utf8.ValidString(subject) || subject == "" || len(subject) > 255 {
		return p, fault.New(fault.Invalid, "take it from the provider", "binding %s to an OpenID subject: it must have 1 to 255 bytes", person)
	}
	if a.opts.Emails {
		subject = strings.ToLower(subject)
	}
	list, err := a.opts.Store.FactorsByID(ctx, FactorOIDC, subject)
	if err != nil {
		return p, fault.OfStore(err)
	}
	for _, f := range list {
		if f.Person != person {
			return p, fault.New(fault.Conflict, "reset "+f.Person+" first: mithaq user reset "+f.Person, "binding %s to the OpenID subject %s: it is %s's", person, fault.Clip(subject), f.Person)
		}
	}
	return p, a.addFactor(ctx, store.Factor{Person: person, Kind: FactorOIDC, ID: subject, Label: subject}, struct{}{})
}

// SignInSubject finds the person who is bound to a name that the OpenID provider has vouched for.
func (a *Accounts) SignInSubject(ctx context.Context, subject string) (PersonView, error) {
	list, err := a.opts.Store.FactorsByID(ctx, FactorOIDC, subject)
	if err != nil {
		return PersonView{}, fault.OfStore(err)
	}
	refused := fault.New(fault.Forbidden, "ask the administrator: mithaq user bind NAME "+fault.Clip(subject), "signing in: nobody here is bound to %s", fault.Clip(subject))
	if len(list) != 1 {
		return PersonView{}, refused
	}
	p, err := a.Person(ctx, list[0].Person)
	if err != nil {
		return PersonView{}, refused
	}
	_, err = a.useFactor(ctx, list[0], struct{}{})
	return p, err
}

// Passkey is a passkey with what was kept of it.
type Passkey struct {
	Person     PersonView
	Credential json.RawMessage
	factor     store.Factor
}

// PasskeyByID finds a passkey of somebody who may sign in by its credential id.
func (a *Accounts) PasskeyByID(ctx context.Context, id string) (Passkey, error) {
	list, err := a.opts.Store.FactorsByID(ctx, FactorPasskey, id)
	if err != nil {
		return Passkey{}, fault.OfStore(err)
	}
	if len(list) != 1 {
		return Passkey{}, fault.New(fault.Forbidden, "sign in with the password and add it again", "signing in: this passkey is not known here")
	}
	p, err := a.Person(ctx, list[0].Person)
	if err != nil {
		return Passkey{}, fault.New(fault.Forbidden, "ask the administrator", "signing in: whoever had this passkey may no longer sign in")
	}
	return Passkey{Person: p, Credential: list[0].Data, factor: list[0]}, nil
}

// Passkeys lists what was kept of a person's passkeys.
func (a *Accounts) Passkeys(ctx context.Context, person string) ([]json.RawMessage, error) {
	list, err := a.opts.Store.Factors(ctx, person)
	var out []json.RawMessage
	for _, f := range list {
		if f.Kind == FactorPasskey {
			out = append(out, f.Data)
		}
	}
	return out, fault.OfStore(err)
}

// UsePasskey writes what a sign-in changed of a passkey, as its count of uses.
func (a *Accounts) UsePasskey(ctx context.Context, p Passkey, credential any) error {
	used, err := a.useFactor(ctx, p.factor, credential)
	if err == nil && !used {
		err = fault.New(fault.Forbidden, "try again", "signing in: the passkey was used twice at once")
	}
	return err
}
