package stix

import (
	"fmt"
	"strings"
)

// check is a recommendation that can be turned on and off by name or code. Names and codes are those of the OASIS
// validator, so that its users' options keep their meaning.
type check uint8

const (
	checkCustomPrefix check = iota
	checkCustomPrefixLax
	checkUUID
	checkOpenVocabFormat
	checkKillChainNames
	checkObservableObjectKeys
	checkObservableDictionaryKeys
	checkMalwareAnalysisProduct
	checkWindowsProcessPriority
	checkHashLength
	checkMarkingDefinitionType
	checkRelationshipTypes
	checkDuplicateIDs
	checkAttackMotivation
	checkAttackResourceLevel
	checkIdentityClass
	checkIndicatorTypes
	checkIndustrySector
	checkMalwareTypes
	checkReportTypes
	checkThreatActorTypes
	checkThreatActorRole
	checkThreatActorSophistication
	checkToolTypes
	checkRegion
	checkGroupingContext
	checkImplementationLanguages
	checkInfrastructureTypes
	checkMalwareCapabilities
	checkProcessorArchitecture
	checkMalwareResult
	checkHashAlgo
	checkWindowsPEBinaryType
	checkAccountType
	checkIndicatorPatternTypes
	checkMimeType
	checkProtocols
	checkIPFIXNames
	checkHTTPRequestHeaders
	checkSocketOptions
	checkPDFDocInfo
	checkCountries
	checkNetworkTrafficPorts
	checkExtrefHashes
	checkIndicatorProperties
	checkDeprecatedProperties
	checkExtensionDescription
	checkExtensionProperties
	checkExtensionsUse
	// The following are asked for with options of their own.
	checkStrictTypes
	checkStrictProperties
	checkEnforceRefs
	checkSpecVersion // goes with every look at recommendations
	checkCount
)

// checkNames has the code and the name of every check.
var checkNames = [checkCount][2]string{
	checkCustomPrefix: {"101", "custom-prefix"}, checkCustomPrefixLax: {"102", "custom-prefix-lax"},
	checkUUID: {"103", "uuid-check"}, checkOpenVocabFormat: {"111", "open-vocab-format"},
	checkKillChainNames: {"121", "kill-chain-names"}, checkObservableObjectKeys: {"141", "observable-object-keys"},
	checkObservableDictionaryKeys: {"142", "observable-dictionary-keys"},
	checkMalwareAnalysisProduct:   {"143", "malware-analysis-product"},
	checkWindowsProcessPriority:   {"149", "windows-process-priority-format"}, checkHashLength: {"150", "hash-length"},
	checkMarkingDefinitionType: {"201", "marking-definition-type"}, checkRelationshipTypes: {"202", "relationship-types"},
	checkDuplicateIDs: {"203", "duplicate-ids"}, checkAttackMotivation: {"211", "attack-motivation"},
	checkAttackResourceLevel: {"212", "attack-resource-level"}, checkIdentityClass: {"213", "identity-class"},
	checkIndicatorTypes: {"214", "indicator-types"}, checkIndustrySector: {"215", "industry-sector"},
	checkMalwareTypes: {"216", "malware-types"}, checkReportTypes: {"218", "report-types"},
	checkThreatActorTypes: {"219", "threat-actor-types"}, checkThreatActorRole: {"220", "threat-actor-role"},
	checkThreatActorSophistication: {"221", "threat-actor-sophistication"}, checkToolTypes: {"222", "tool-types"},
	checkRegion: {"223", "region"}, checkGroupingContext: {"225", "grouping-context"},
	checkImplementationLanguages: {"226", "implementation-languages"}, checkInfrastructureTypes: {"227", "infrastructure-types"},
	checkMalwareCapabilities: {"228", "malware-capabilities"}, checkProcessorArchitecture: {"230", "processor-architecture"},
	checkMalwareResult: {"231", "malware-result"}, checkHashAlgo: {"241", "hash-algo"},
	checkWindowsPEBinaryType: {"243", "windows-pebinary-type"}, checkAccountType: {"244", "account-type"},
	checkIndicatorPatternTypes: {"245", "indicator-pattern-types"}, checkMimeType: {"271", "mime-type"},
	checkProtocols: {"272", "protocols"}, checkIPFIXNames: {"273", "ipfix"},
	checkHTTPRequestHeaders: {"274", "http-request-headers"}, checkSocketOptions: {"275", "socket-options"},
	checkPDFDocInfo: {"276", "pdf-doc-info"}, checkCountries: {"277", "countries"},
	checkNetworkTrafficPorts: {"301", "network-traffic-ports"}, checkExtrefHashes: {"302", "extref-hashes"},
	checkIndicatorProperties: {"303", "indicator-properties"}, checkDeprecatedProperties: {"304", "deprecated-properties"},
	checkExtensionDescription: {"305", "extension-description"}, checkExtensionProperties: {"306", "extension-properties"},
	checkExtensionsUse: {"401", "extensions-use"}, checkStrictTypes: {"", "strict-types"},
	checkStrictProperties: {"", "strict-properties"}, checkEnforceRefs: {"", "enforce-refs"}, checkSpecVersion: {"", "spec-version"},
}

// checkSet is a set of checks.
type checkSet uint64

func (s checkSet) has(c check) bool { return s&(1<<c) != 0 }

// between is the set of the checks from first to last.
func between(first, last check) checkSet { return 1<<(last+1) - 1<<first }

// groups are names for several checks.
var checkGroups = map[string]checkSet{
	"all":                  between(checkCustomPrefix, checkExtensionsUse),
	"format-checks":        between(checkCustomPrefix, checkHashLength),
	"1":                    between(checkCustomPrefix, checkHashLength),
	"approved-values":      between(checkMarkingDefinitionType, checkCountries),
	"2":                    between(checkMarkingDefinitionType, checkCountries),
	"all-vocabs":           between(checkAttackMotivation, checkIndicatorPatternTypes),
	"210":                  between(checkAttackMotivation, checkIndicatorPatternTypes),
	"all-external-sources": between(checkMimeType, checkCountries),
	"270":                  between(checkMimeType, checkCountries),
}

// checksNamed is the set of a list of names, codes and groups. Those that do not exist are an error.
func checksNamed(names []string) (checkSet, error) {
	var set checkSet
next:
	for _, name := range names {
		name = strings.TrimSpace(name)
		if group, ok := checkGroups[name]; ok {
			set |= group
			continue
		}
		for c, n := range checkNames {
			if name != "" && (n[0] == name || n[1] == name) {
				set |= 1 << c
				continue next
			}
		}
		return 0, fmt.Errorf("choosing checks: %q is neither the name nor the code of a check", name)
	}
	return set, nil
}

// Checks lists the recommended checks as "code name", in the order of their codes.
func Checks() []string {
	var out []string
	for _, n := range checkNames[:checkStrictTypes] {
		out = append(out, n[0]+" "+n[1])
	}
	return out
}
