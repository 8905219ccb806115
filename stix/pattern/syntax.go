package pattern

// Position is a place in a pattern's text.
type Position struct {
	Offset int // bytes from the beginning, from 0
	Line   int // from 1; a line ends after "\n"
	Column int // characters (code points) from the beginning of the line, from 1
}

// Pattern is a parsed pattern. The tree may be read by several goroutines at
// once; nothing in this package changes it after Parse.
type Pattern struct {
	Root ObservationExpression
}

// ObservationExpression is one of *Observed, *ObservationAnd, *ObservationOr,
// *FollowedBy, *Within, *Repeats, *StartStop and *ObservationGroup
// (STIX 2.1, section 9.3 and 9.4).
type ObservationExpression interface {
	Position() Position
	observationExpression()
}

// Observed is a comparison expression in square brackets: it holds of one
// observation when one of its objects passes the comparison.
type Observed struct {
	At         Position
	Comparison ComparisonExpression
}

// ObservationAnd needs distinct observations for all its operands (two or more).
type ObservationAnd struct{ Operands []ObservationExpression }

// ObservationOr needs observations for one of its operands (two or more).
type ObservationOr struct{ Operands []ObservationExpression }

// FollowedBy needs distinct observations for all its operands (two or more),
// each operand's no earlier than those of the operands before it.
type FollowedBy struct{ Operands []ObservationExpression }

// Within qualifies its expression: all observations lie in one span of so many
// seconds. Seconds is an Integer or a Float that is not negative in form; zero
// parses, and is refused by Compile.
type Within struct {
	Expression ObservationExpression
	Seconds    Constant
}

// Repeats qualifies its expression: it is satisfied so many times by distinct
// observations. Times is an Integer; zero parses, and is refused by Compile.
type Repeats struct {
	Expression ObservationExpression
	Times      Constant
}

// StartStop qualifies its expression: every observation lies at Start or
// later, and before Stop. Both are Timestamps.
type StartStop struct {
	Expression  ObservationExpression
	Start, Stop Constant
}

// ObservationGroup is an expression in round brackets. It is kept in the tree
// because a qualifier on a group is another thing than one more qualifier.
type ObservationGroup struct {
	At         Position
	Expression ObservationExpression
}

// ComparisonExpression is one of *Comparison, *Exists, *ComparisonAnd,
// *ComparisonOr and *ComparisonGroup (STIX 2.1, section 9.5 and 9.6).
// All comparisons inside one Observed are about the same object.
type ComparisonExpression interface {
	Position() Position
	comparisonExpression()
}

// Comparison compares the values that a path reaches with a constant, or with
// a set when the operator is In. It holds of an object when one value passes.
type Comparison struct {
	Path     ObjectPath
	Negated  bool // NOT before the operator: turns the answer for each value
	Operator Operator
	Value    Constant   // for every operator but In; a String for Like, Matches, IsSubset, IsSuperset
	Set      []Constant // for In only; may be empty
}

// Exists holds of an object on which the path reaches a value; negated, of an
// object of the path's type on which it reaches none.
type Exists struct {
	At      Position
	Path    ObjectPath
	Negated bool
}

// ComparisonAnd needs all its operands (two or more) of the same object.
type ComparisonAnd struct{ Operands []ComparisonExpression }

// ComparisonOr needs one of its operands (two or more).
type ComparisonOr struct{ Operands []ComparisonExpression }

// ComparisonGroup is an expression in round brackets.
type ComparisonGroup struct {
	At         Position
	Expression ComparisonExpression
}

// Operator is a comparison operator.
type Operator int

// The comparison operators of STIX 2.1, section 9.6.1.
const (
	Equal Operator = iota + 1
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	In
	Like
	Matches
	IsSubset
	IsSuperset
)

// String gives the operator as the printer writes it.
func (o Operator) String() string {
	switch o {
	case Equal:
		return "="
	case NotEqual:
		return "!="
	case Less:
		return "<"
	case LessOrEqual:
		return "<="
	case Greater:
		return ">"
	case GreaterOrEqual:
		return ">="
	case In:
		return "IN"
	case Like:
		return "LIKE"
	case Matches:
		return "MATCHES"
	case IsSubset:
		return "ISSUBSET"
	case IsSuperset:
		return "ISSUPERSET"
	}
	return "invalid operator"
}

// ObjectPath names a property of the objects of one type (STIX 2.1, section 9.7).
// The first step is always a Key.
type ObjectPath struct {
	At    Position
	Type  string
	Steps []Step
}

// StepKind says how a Step goes on from a value.
type StepKind int

// A Key goes to the property or dictionary entry Step.Key (and through it to the
// object that is referred to, when the name ends in _ref or _refs), an Index to
// one element of a list, Any ([*]) to all of them.
const (
	Key StepKind = iota + 1
	Index
	Any
)

// Step is one step of an object path.
type Step struct {
	Kind  StepKind
	Key   string // when Kind is Key, without quotes and escapes
	Index int    // when Kind is Index; a negative one parses but reaches nothing
}

// ConstantKind says what a Constant is.
type ConstantKind int

// The kinds of constants of STIX 2.1, section 9.2.
const (
	String ConstantKind = iota + 1
	Integer
	Float
	Boolean
	Timestamp
	Hex
	Binary
)

// Constant is a literal of a pattern.
type Constant struct {
	At   Position
	Kind ConstantKind
	// Text is a String's value, without quotes and escapes; the digits of an
	// Integer or Float, without a plus sign; a Timestamp's text between its quotes.
	Text  string
	Bytes []byte // the value of Hex and Binary
	Bool  bool   // the value of Boolean
}

// Position is the place of the opening bracket.
func (e *Observed) Position() Position { return e.At }

// Position is the place of the first operand.
func (e *ObservationAnd) Position() Position { return firstObservation(e.Operands) }

// Position is the place of the first operand.
func (e *ObservationOr) Position() Position { return firstObservation(e.Operands) }

// Position is the place of the first operand.
func (e *FollowedBy) Position() Position { return firstObservation(e.Operands) }

// Position is the place of the qualified expression.
func (e *Within) Position() Position { return e.Expression.Position() }

// Position is the place of the qualified expression.
func (e *Repeats) Position() Position { return e.Expression.Position() }

// Position is the place of the qualified expression.
func (e *StartStop) Position() Position { return e.Expression.Position() }

// Position is the place of the opening bracket.
func (e *ObservationGroup) Position() Position { return e.At }

// Position is the place of the path.
func (e *Comparison) Position() Position { return e.Path.At }

// Position is the place of EXISTS, or of the NOT before it.
func (e *Exists) Position() Position { return e.At }

// Position is the place of the first operand.
func (e *ComparisonAnd) Position() Position { return firstComparison(e.Operands) }

// Position is the place of the first operand.
func (e *ComparisonOr) Position() Position { return firstComparison(e.Operands) }

// Position is the place of the opening bracket.
func (e *ComparisonGroup) Position() Position { return e.At }

func firstObservation(operands []ObservationExpression) Position {
	if len(operands) == 0 {
		return Position{}
	}
	return operands[0].Position()
}

func firstComparison(operands []ComparisonExpression) Position {
	if len(operands) == 0 {
		return Position{}
	}
	return operands[0].Position()
}

func (*Observed) observationExpression()         {}
func (*ObservationAnd) observationExpression()   {}
func (*ObservationOr) observationExpression()    {}
func (*FollowedBy) observationExpression()       {}
func (*Within) observationExpression()           {}
func (*Repeats) observationExpression()          {}
func (*StartStop) observationExpression()        {}
func (*ObservationGroup) observationExpression() {}

func (*Comparison) comparisonExpression()      {}
func (*Exists) comparisonExpression()          {}
func (*ComparisonAnd) comparisonExpression()   {}
func (*ComparisonOr) comparisonExpression()    {}
func (*ComparisonGroup) comparisonExpression() {}
