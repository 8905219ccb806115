package stix

// Scale is one of the confidence scales of appendix A: it maps confidence (0 to 100) to words and back.
type Scale struct {
	Name  string
	Steps []Step
}

// Step is one word of a scale: it stands for From to To, and is written as Value.
type Step struct {
	Word            string
	From, To, Value int
}

// Scales are the confidence scales of STIX 2.1, appendix A.
func Scales() []Scale {
	return []Scale{
		{"None / Low / Med / High", []Step{{"None", 0, 0, 0}, {"Low", 1, 29, 15}, {"Med", 30, 69, 50}, {"High", 70, 100, 85}}},
		{"0-10", []Step{{"0", 0, 4, 0}, {"1", 5, 14, 10}, {"2", 15, 24, 20}, {"3", 25, 34, 30}, {"4", 35, 44, 40}, {"5", 45, 54, 50},
			{"6", 55, 64, 60}, {"7", 65, 74, 70}, {"8", 75, 84, 80}, {"9", 85, 94, 90}, {"10", 95, 100, 100}}},
		{"Admiralty Credibility", []Step{{"5 - Improbable", 0, 19, 10}, {"4 - Doubtful", 20, 39, 30}, {"3 - Possibly true", 40, 59, 50},
			{"2 - Probably true", 60, 79, 70}, {"1 - Confirmed by other sources", 80, 100, 90}}},
		{"WEP", []Step{{"Impossible", 0, 0, 0}, {"Highly Unlikely/Almost Certainly Not", 1, 19, 10}, {"Unlikely/Probably Not", 20, 39, 30},
			{"Even Chance", 40, 59, 50}, {"Likely/Probable", 60, 79, 70}, {"Highly likely/Almost Certain", 80, 99, 90}, {"Certain", 100, 100, 100}}},
		{"DNI", []Step{{"Almost No Chance / Remote", 0, 9, 5}, {"Very Unlikely / Highly Improbable", 10, 19, 15},
			{"Unlikely / Improbable", 20, 39, 30}, {"Roughly Even Chance / Roughly Even Odds", 40, 59, 50}, {"Likely / Probable", 60, 79, 70},
			{"Very Likely / Highly Probable", 80, 89, 85}, {"Almost Certain / Nearly Certain", 90, 100, 95}}},
	}
}

// Word is the word for a confidence; empty when it is not between 0 and 100.
func (s Scale) Word(confidence int) string {
	for _, step := range s.Steps {
		if confidence >= step.From && confidence <= step.To {
			return step.Word
		}
	}
	return ""
}

// Confidence is the number that a word is written as; ok is false for a word that the scale does not have.
func (s Scale) Confidence(word string) (confidence int, ok bool) {
	for _, step := range s.Steps {
		if step.Word == word {
			return step.Value, true
		}
	}
	return 0, false
}
