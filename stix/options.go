package stix

// PatternChecker says whether a STIX pattern is well formed. version is the pattern language's: "2.1" or "2.0".
type PatternChecker func(pattern, version string) error

// Options says what Validate checks beyond STIX 2.1's MUSTs. The zero value checks these alone.
type Options struct {
	// Strict checks recommendations too, and counts them: a document that breaks one is not valid.
	Strict bool
	// Recommend reports recommendations without counting them.
	Recommend bool
	// Disabled are names or codes of recommendations ("uuid-check", "103", "all-vocabs") to leave out; Enabled, without
	// Disabled, are the only ones to check. Disabling extensions-use (401) puts the older naming rules custom-prefix
	// (101) or custom-prefix-lax (102) in its place, unless they are disabled as well. As in the OASIS validator, any
	// Disabled also leaves out 103, 225 to 231, 305 and 306; name them in Enabled to have them back.
	Disabled, Enabled []string
	// StrictTypes and StrictProperties report types and properties that the specification does not define.
	StrictTypes, StrictProperties bool
	// EnforceRefs reports relationships whose ends are not in the same bundle.
	EnforceRefs bool
	// Interop checks the STIX 2.1 interoperability document's extra requirements, as MUSTs.
	Interop bool
	// Version fixes the version of STIX to "2.0" or "2.1". Empty: what each object says.
	Version string
	// Pattern checks the syntax of the patterns of indicators. Nil: CheckPattern.
	Pattern PatternChecker
	// Object, when set, is called with each object that could be read, valid or not, so that who needs more of it does not
	// read it again. The value is good until it returns. It is called twice where a bundle says after its objects what version it is of.
	Object func(index int, v Value)
	// MaxFindings is how many findings a report keeps; 1,000 by default.
	MaxFindings int
	Limits      Limits
}

// plan is Options made ready.
type plan struct {
	Options
	checks checkSet
	// prefix rules that take the place of extensions-use also hold for the types and properties of patterns.
	patternPrefix check
}

// notBesideDisabled are the checks that the OASIS validator does not run once any is disabled.
const notBesideDisabled = checkSet(1<<checkUUID | 1<<checkGroupingContext | 1<<checkImplementationLanguages | 1<<checkInfrastructureTypes |
	1<<checkMalwareCapabilities | 1<<checkProcessorArchitecture | 1<<checkMalwareResult | 1<<checkExtensionDescription | 1<<checkExtensionProperties)

func (o Options) plan() (plan, error) {
	p := plan{Options: o, patternPrefix: checkCount}
	if p.MaxFindings <= 0 {
		p.MaxFindings = 1000
	}
	if p.Pattern == nil {
		p.Pattern = CheckPattern
	}
	disabled, err := checksNamed(o.Disabled)
	if err != nil {
		return p, err
	}
	enabled, err := checksNamed(o.Enabled)
	if err != nil {
		return p, err
	}
	naming := checkSet(1<<checkCustomPrefix | 1<<checkCustomPrefixLax)
	if len(o.Disabled) > 0 || len(o.Enabled) == 0 {
		p.checks = checkGroups["all"] &^ naming
	}
	if len(o.Disabled) > 0 {
		p.checks &^= notBesideDisabled
	}
	if len(o.Disabled) > 0 && disabled.has(checkExtensionsUse) {
		if !disabled.has(checkCustomPrefix) {
			p.checks |= 1 << checkCustomPrefix
			p.patternPrefix = checkCustomPrefix
		} else if !disabled.has(checkCustomPrefixLax) {
			p.checks |= 1 << checkCustomPrefixLax
			p.patternPrefix = checkCustomPrefixLax
		}
	}
	p.checks = p.checks&^disabled | enabled
	if !o.Strict && !o.Recommend {
		p.checks = 0
	}
	for option, c := range map[check]bool{checkStrictTypes: o.StrictTypes, checkStrictProperties: o.StrictProperties,
		checkEnforceRefs: o.EnforceRefs, checkSpecVersion: o.Strict || o.Recommend} {
		if c {
			p.checks |= 1 << option
		}
	}
	return p, nil
}
