package notify

import (
	"slices"
	"time"
)

// Occasion is a kind of thing that people are told of.
type Occasion string

// The occasions.
const (
	Approval Occasion = "approval" // a proposal or a draft waits for this party's officers
	Recall   Occasion = "recall"   // another party took something back
	Alert    Occasion = "alert"    // detection found something: a sighting waits for a decision
	Mismatch Occasion = "mismatch" // proof that somebody signed two histories, or gave its word twice
	Stale    Occasion = "stale"    // another party's node has not been reached for long
	Quota    Occasion = "quota"    // somebody's records wait because a quota is used up
	Sensor   Occasion = "sensor"   // a sensor tells nothing any more
	Feed     Occasion = "feed"     // a feed could not be read
	Backup   Occasion = "backup"   // a backup failed, or the last one is too old
	Test     Occasion = "test"     // a person tries whether messages arrive
)

// Occasions lists what a notifier can be told of. A test is not among them: it is sent when a person asks.
func Occasions() []Occasion {
	return []Occasion{Approval, Recall, Alert, Mismatch, Stale, Quota, Sensor, Feed, Backup}
}

// Languages lists the languages of messages.
func Languages() []string { return []string{"ar", "en", "fr"} }

// Notice is one message: that something waits, and where.
type Notice struct {
	ID       string    // the same at every try of one message, so that a receiver can drop doubles
	Occasion Occasion  // what kind of thing
	Count    int64     // how many of them
	Since    time.Time // of the first
	Link     string    // where in the screens it waits
	Party    string    // whose node tells it, as people call the party
	Mark     string    // that the party is invented; empty: it is not
	Language string    // one of Languages
}

// said is what one language says of notices.
type said struct {
	occasions map[Occasion]string
	foot      string // that the message says no more on purpose
	sign      string // between a label and its number
}

// words are the texts of messages. A label and a number are put side by side, so that no language needs its plural forms.
func words(language string) said {
	switch language {
	case "ar":
		return said{map[Occasion]string{
			Approval: "بانتظار الموافقة", Recall: "وقف تداول من جهة أخرى", Alert: "مشاهدات مؤشرات بانتظار القرار", Mismatch: "عدم تطابق السجل",
			Stale: "جهات تعذّر الوصول إليها", Quota: "محتجز لاستنفاد الحصة", Sensor: "مستشعرات صامتة", Feed: "مصادر تعذّرت قراءتها",
			Backup: "نسخ احتياطية فشلت أو تأخرت", Test: "رسالة تجربة"},
			"لا تقول هذه الرسالة إلا إن شيئًا ينتظر وأين هو؛ أما مضمونه فيظهر بعد تسجيل الدخول.", ": "}
	case "fr":
		return said{map[Occasion]string{
			Approval: "En attente d’approbation", Recall: "Retraits de diffusion reçus", Alert: "Observations en attente de décision", Mismatch: "Incohérence de l’historique",
			Stale: "Participants injoignables", Quota: "Retenu faute de quota", Sensor: "Capteurs silencieux", Feed: "Flux illisibles", //nolint:misspell // French
			Backup: "Sauvegardes échouées ou en retard", Test: "Message d’essai"},
			"Ce message dit seulement que quelque chose attend, et où ; le contenu s’affiche une fois connecté.", " : "}
	}
	return said{map[Occasion]string{
		Approval: "Waiting for approval", Recall: "Recalls by others", Alert: "Sightings waiting for a decision", Mismatch: "History mismatch",
		Stale: "Participants that cannot be reached", Quota: "Held back by a quota", Sensor: "Silent sensors", Feed: "Feeds that cannot be read",
		Backup: "Backups that failed or are overdue", Test: "Test message"},
		"This message says only that something waits, and where; what it is is shown after signing in.", ": "}
}

// Subject is the notice in one line.
func (n Notice) Subject() string {
	w := words(n.Language)
	line := w.occasions[n.Occasion]
	if n.Occasion != Test {
		line += w.sign + number(n.Count)
	}
	if n.Mark != "" {
		line = "[" + n.Mark + "] " + line
	}
	return line
}

// Text is the notice as a person reads it.
func (n Notice) Text() string {
	w := words(n.Language)
	return n.Subject() + "\n" + n.Link + "\n\n" + n.Party + " · mithaq\n" + w.foot + "\n"
}

// IsOccasion tells whether a notifier can be told of it.
func IsOccasion(o string) bool { return slices.Contains(Occasions(), Occasion(o)) }
