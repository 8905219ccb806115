package policy

import (
	"maps"
	"strings"
)

// Effect is how a reason weighs.
type Effect string

// The effects of reasons.
const (
	Permits Effect = "permits"
	Forbids Effect = "forbids"
)

// Reason is one ground of a decision: a rule that held, or a filter outside the rules.
type Reason struct {
	Code   string // "rule", or one of Codes: the key of a message
	Effect Effect
	Rule   string // of a rule: its @id
	Where  string // of a rule: file:line:column
	Param  string // of a filter: the recall's leaf hash, the time, the field; may be empty
	words  map[string]string
}

// ReasonRule is the Code of a reason that is a rule.
const ReasonRule = "rule"

// The filters outside the rules, and what is wrong with a question.
const (
	reasonNoRule      = "no-rule"
	reasonNoVictim    = "no-victim"
	reasonNoAgreement = "no-agreement"
	reasonWithdrawn   = "withdrawn"
	reasonPart        = "withdrawn-part"
	reasonErased      = "erased"
	reasonNarrowed    = "narrowed"
	reasonExpired     = "expired"
	reasonInvalid     = "invalid"
	reasonFailed      = "rule-failed"
)

// Codes returns the codes of reasons that are no rules, for the catalogues of messages.
func Codes() []string {
	return []string{reasonNoRule, reasonNoVictim, reasonNoAgreement, reasonWithdrawn, reasonPart, reasonErased, reasonNarrowed, reasonExpired, reasonInvalid, reasonFailed}
}

// messages has a filter's words by language; {} stands for the parameter.
func messages(code string) map[string]string {
	switch code {
	case reasonNoRule:
		return map[string]string{
			"en": "no rule permits it at {}, and what no rule permits is denied",
			"fr": "aucune règle ne le permet en {}, et ce qu'aucune règle ne permet est refusé",
			"ar": "لا توجد قاعدة تسمح بذلك في درجة {}، وما لا تسمح به قاعدة فهو ممنوع",
		}
	case reasonNoVictim:
		return map[string]string{
			"en": "no rule of the agreement lets a sighting say who was hit, so it says how often and on which days, and nothing else",
			"fr": "aucune règle de l'accord ne permet qu'une observation dise qui a été touché : elle dit combien de fois et quels jours, rien d'autre",
			"ar": "لا تسمح أي قاعدة في الاتفاق بأن تذكر المشاهدة الجهة المتضررة، فهي تذكر عدد المرات والأيام ولا شيء غير ذلك",
		}
	case reasonNoAgreement:
		return map[string]string{
			"en": "the rules of agreement {} are not loaded here",
			"fr": "les règles de l'accord {} ne sont pas chargées ici",
			"ar": "قواعد الاتفاق {} غير محمّلة هنا",
		}
	case reasonWithdrawn:
		return map[string]string{
			"en": "its author recalled it (entry {})",
			"fr": "son auteur en a retiré la diffusion (entrée {})",
			"ar": "أوقف صاحبه تداوله (القيد {})",
		}
	case reasonPart:
		return map[string]string{
			"en": "its author recalled a part of it (entry {})",
			"fr": "son auteur en a retiré une partie de la diffusion (entrée {})",
			"ar": "أوقف صاحبه تداول جزء منه (القيد {})",
		}
	case reasonErased:
		return map[string]string{
			"en": "it was erased (entry {})",
			"fr": "il a été effacé (entrée {})",
			"ar": "جرى محوه (القيد {})",
		}
	case reasonNarrowed:
		return map[string]string{
			"en": "its author narrowed whom it may reach (entry {})",
			"fr": "son auteur en a restreint la diffusion (entrée {})",
			"ar": "ضيّق صاحبه نطاق تداوله (القيد {})",
		}
	case reasonExpired:
		return map[string]string{
			"en": "it expired at {}",
			"fr": "il a expiré le {}",
			"ar": "انتهت مدته في {}",
		}
	case reasonInvalid:
		return map[string]string{
			"en": "the question is incomplete or contradicts itself ({}), and is not guessed at",
			"fr": "la question est incomplète ou se contredit ({}) ; rien n'est supposé",
			"ar": "السؤال ناقص أو متناقض ({})، ولا يُفترض شيء",
		}
	case reasonFailed:
		return map[string]string{
			"en": "a rule could not be evaluated, so nothing is allowed",
			"fr": "une règle n'a pas pu être évaluée ; rien n'est permis",
			"ar": "تعذّر تقييم إحدى القواعد، فلا يُسمح بشيء",
		}
	}
	return nil
}

func filterReason(code, param string) Reason {
	return Reason{Code: code, Effect: Forbids, Param: param}
}

func ruleReasons(held rules, effect Effect) []Reason {
	reasons := make([]Reason, len(held))
	for i, r := range held {
		reasons[i] = Reason{Code: ReasonRule, Effect: effect, Rule: r.id, Where: r.where, words: r.words}
	}
	return reasons
}

// Text returns the reason in words, in "en", "fr" or "ar"; an agreement's rule that has no words in a language is told
// in another it has.
func (r Reason) Text(lang string) string {
	words := r.words
	if r.Code != ReasonRule {
		words = messages(r.Code)
	}
	for _, l := range []string{lang, "en", "fr", "ar"} {
		if s, ok := words[l]; ok {
			return strings.ReplaceAll(s, "{}", r.Param)
		}
	}
	return r.Rule + r.Code
}

// Texts returns the reason in every language it has.
func (r Reason) Texts() map[string]string {
	if r.Code == ReasonRule {
		return maps.Clone(r.words)
	}
	m := messages(r.Code)
	for l, s := range m {
		m[l] = strings.ReplaceAll(s, "{}", r.Param)
	}
	return m
}

// Why tells the decision in words, a line for the answer and one for each reason, with the rule's name and place.
// Reasons speak of markings and recalls: they are for those who may know that the item exists.
func (d Decision) Why(lang string) []string {
	answer := map[string][2]string{
		"en": {"Denied:", "Allowed:"}, "fr": {"Refusé :", "Permis :"}, "ar": {"ممنوع:", "مسموح:"},
	}
	a, ok := answer[lang]
	if !ok {
		a = answer["en"]
	}
	lines := []string{a[0]}
	if d.Allow {
		lines[0] = a[1]
	}
	for _, r := range d.Reasons {
		line := r.Text(lang)
		if r.Code == ReasonRule {
			line += " [" + r.Rule + ", " + r.Where + "]"
		}
		lines = append(lines, line)
	}
	return lines
}
