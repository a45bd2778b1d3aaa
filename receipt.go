package payterm

// Receipt is one slip of paper in words, line by line; a printer driver lays it
// out for its roll.
type Receipt struct {
	Name  string  // merchant, customer, late_payment ...; for people: never printed, and nothing is decided by it
	Order OrderID // that it is about; empty for none
	Z     int64   // the number of the Z that it is; 0 for another slip
	Copy  bool    // it was printed before, or may have been
	Lines []ReceiptLine

	Again *Receipt // what comes in its place once it broke off, which says that it is a copy; nil for itself
}

// ReceiptLine is one line. Pair prints Text at the left and Right at the right
// edge; a line too long for the roll is wrapped, never cut.
type ReceiptLine struct {
	Kind  LineKind
	Text  string
	Right string
	Align Align
	Bold  bool
	Large bool // double width and height
	Alert bool // nobody may miss it: red where the printer has that
	N     int  // Feed: how many lines
}

// LineKind tells what a ReceiptLine is.
type LineKind uint8

// The kinds of line.
const (
	LineText    LineKind = iota // Text, aligned
	LinePair                    // Text and Right
	LineRule                    // a rule across the roll
	LineFeed                    // N blank lines
	LineBarcode                 // Text as Code 128 with its text below
	LineQR                      // Text as a QR code
	LineCut                     // cut the paper; the driver feeds past the cutter first
)

// Align places a text line.
type Align uint8

// The alignments.
const (
	AlignLeft Align = iota
	AlignCenter
	AlignRight
)

// PaperCondition is what the printer says of itself.
type PaperCondition string

// The conditions. Many printers never answer: PaperUnknown is a state, not a
// fault.
const (
	PaperUnknown     PaperCondition = "unknown"
	PaperOK          PaperCondition = "ok"
	PaperNearEnd     PaperCondition = "near_end"
	PaperOut         PaperCondition = "out"
	PaperCoverOpen   PaperCondition = "cover_open"
	PaperUnreachable PaperCondition = "unplugged"
)

// Prints reports whether a printer in this condition prints, as far as is known.
func (c PaperCondition) Prints() bool {
	return c != PaperOut && c != PaperCoverOpen && c != PaperUnreachable
}
