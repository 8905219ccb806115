package stix

// vocabulary is an open vocabulary of section 10: its values are suggested, others are allowed.
type vocabulary struct {
	name   string
	check  check
	values []string
}

func (o *vocabulary) has(value []byte) bool {
	for _, v := range o.values {
		if v == string(value) {
			return true
		}
	}
	return false
}

// The open vocabularies of STIX 2.1. They are never written to.
var (
	attackMotivation = vocabulary{"attack-motivation-ov", checkAttackMotivation, []string{
		"accidental", "coercion", "dominance", "ideology", "notoriety", "organizational-gain", "personal-gain",
		"personal-satisfaction", "revenge", "unpredictable",
	}}
	attackResourceLevel = vocabulary{"attack-resource-level-ov", checkAttackResourceLevel, []string{
		"individual", "club", "contest", "team", "organization", "government",
	}}
	accountType = vocabulary{"account-type-ov", checkAccountType, []string{
		"unix", "windows-local", "windows-domain", "ldap", "tacacs", "radius", "nis", "openid", "facebook", "skype", "twitter",
		"kavi",
	}}
	groupingContext = vocabulary{"grouping-context-ov", checkGroupingContext, []string{
		"suspicious-activity", "malware-analysis", "unspecified",
	}}
	hashAlgorithm = vocabulary{"hash-algorithm-ov", checkHashAlgo, []string{
		"MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH",
	}}
	identityClass = vocabulary{"identity-class-ov", checkIdentityClass, []string{
		"individual", "group", "system", "organization", "class", "unknown",
	}}
	implementationLanguage = vocabulary{"implementation-language-ov", checkImplementationLanguages, []string{
		"applescript", "bash", "c", "c++", "c#", "go", "java", "javascript", "lua", "objective-c", "perl", "php", "powershell",
		"python", "ruby", "scala", "swift", "typescript", "visual-basic", "x86-32", "x86-64",
	}}
	indicatorType = vocabulary{"indicator-type-ov", checkIndicatorTypes, []string{
		"anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution", "unknown",
	}}
	industrySector = vocabulary{"industry-sector-ov", checkIndustrySector, []string{
		"agriculture", "aerospace", "automotive", "chemical", "commercial", "communications", "construction", "defense",
		"education", "energy", "entertainment", "financial-services", "government", "emergency-services", "government-local",
		"government-national", "government-public-services", "government-regional", "healthcare", "hospitality-leisure",
		"infrastructure", "dams", "nuclear", "water", "insurance", "manufacturing", "mining", "non-profit", "pharmaceuticals",
		"retail", "technology", "telecommunications", "transportation", "utilities",
	}}
	infrastructureType = vocabulary{"infrastructure-type-ov", checkInfrastructureTypes, []string{
		"amplification", "anonymization", "botnet", "command-and-control", "control-system", "exfiltration", "firewall",
		"hosting-malware", "hosting-target-lists", "phishing", "reconnaissance", "routers-switches", "staging", "workstation",
		"unknown",
	}}
	malwareResult = vocabulary{"malware-result-ov", checkMalwareResult, []string{
		"malicious", "suspicious", "benign", "unknown",
	}}
	malwareCapabilities = vocabulary{"malware-capabilities-ov", checkMalwareCapabilities, []string{
		"accesses-remote-machines", "anti-debugging", "anti-disassembly", "anti-emulation", "anti-memory-forensics",
		"anti-sandbox", "anti-vm", "captures-input-peripherals", "captures-output-peripherals", "captures-system-state-data",
		"cleans-traces-of-infection", "commits-fraud", "communicates-with-c2", "compromises-data-availability",
		"compromises-data-integrity", "compromises-system-availability", "controls-local-machine",
		"degrades-security-software", "degrades-system-updates", "determines-c2-server", "emails-spam", "escalates-privileges",
		"evades-av", "exfiltrates-data", "fingerprints-host", "hides-artifacts", "hides-executing-code", "infects-files",
		"infects-remote-machines", "installs-other-components", "persists-after-system-reboot", "prevents-artifact-access",
		"prevents-artifact-deletion", "probes-network-environment", "self-modifies", "steals-authentication-credentials",
		"violates-system-operational-integrity",
	}}
	malwareType = vocabulary{"malware-type-ov", checkMalwareTypes, []string{
		"adware", "backdoor", "bot", "bootkit", "ddos", "downloader", "dropper", "exploit-kit", "keylogger", "ransomware",
		"remote-access-trojan", "resource-exploitation", "rogue-security-software", "rootkit", "screen-capture", "spyware",
		"trojan", "unknown", "virus", "webshell", "wiper", "worm",
	}}
	patternType = vocabulary{"pattern-type-ov", checkIndicatorPatternTypes, []string{
		"stix", "pcre", "sigma", "snort", "suricata", "yara",
	}}
	processorArchitecture = vocabulary{"processor-architecture-ov", checkProcessorArchitecture, []string{
		"alpha", "arm", "ia-64", "mips", "powerpc", "sparc", "x86", "x86-64",
	}}
	region = vocabulary{"region-ov", checkRegion, []string{
		"africa", "eastern-africa", "middle-africa", "northern-africa", "southern-africa", "western-africa", "americas",
		"latin-america-caribbean", "south-america", "caribbean", "central-america", "northern-america", "asia", "central-asia",
		"eastern-asia", "southern-asia", "south-eastern-asia", "western-asia", "europe", "eastern-europe", "northern-europe",
		"southern-europe", "western-europe", "oceania", "australia-new-zealand", "melanesia", "micronesia", "polynesia",
		"antarctica",
	}}
	reportType = vocabulary{"report-type-ov", checkReportTypes, []string{
		"threat-report", "attack-pattern", "campaign", "identity", "indicator", "intrusion-set", "malware", "observed-data",
		"threat-actor", "tool", "vulnerability",
	}}
	threatActorType = vocabulary{"threat-actor-type-ov", checkThreatActorTypes, []string{
		"activist", "competitor", "crime-syndicate", "criminal", "hacker", "insider-accidental", "insider-disgruntled",
		"nation-state", "sensationalist", "spy", "terrorist", "unknown",
	}}
	threatActorRole = vocabulary{"threat-actor-role-ov", checkThreatActorRole, []string{
		"agent", "director", "independent", "infrastructure-architect", "infrastructure-operator", "malware-author", "sponsor",
	}}
	threatActorSophistication = vocabulary{"threat-actor-sophistication-ov", checkThreatActorSophistication, []string{
		"none", "minimal", "intermediate", "advanced", "expert", "innovator", "strategic",
	}}
	toolType = vocabulary{"tool-type-ov", checkToolTypes, []string{
		"denial-of-service", "exploitation", "information-gathering", "network-capture", "credential-exploitation",
		"remote-access", "vulnerability-scanning", "unknown",
	}}
	windowsPEBinaryType = vocabulary{"windows-pebinary-type-ov", checkWindowsPEBinaryType, []string{
		"exe", "dll", "sys",
	}}
)

// Vocabulary returns the suggested values of an open vocabulary by its name in the specification
// ("malware-type-ov"); nil for a name that is none.
func Vocabulary(name string) []string {
	for _, v := range vocabularies() {
		if v.name == name {
			return append([]string(nil), v.values...)
		}
	}
	return nil
}

// Vocabularies returns the names of the open vocabularies.
func Vocabularies() []string {
	var names []string
	for _, v := range vocabularies() {
		names = append(names, v.name)
	}
	return names
}

func vocabularies() []*vocabulary {
	return []*vocabulary{
		&attackMotivation, &attackResourceLevel, &accountType, &groupingContext, &hashAlgorithm, &identityClass,
		&implementationLanguage, &indicatorType, &industrySector, &infrastructureType, &malwareResult,
		&malwareCapabilities, &malwareType, &patternType, &processorArchitecture, &region, &reportType,
		&threatActorType, &threatActorRole, &threatActorSophistication, &toolType, &windowsPEBinaryType,
	}
}
