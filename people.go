package payterm

// Deed names what a person did at the terminal: a record of the journal that is
// about no order.
type Deed string

// The deeds.
const (
	DeedTried     Deed = "pin_tried"     // a PIN is about to be compared; it counts as wrong until it was right
	DeedRefused   Deed = "pin_refused"   // it was wrong, or not a supervisor's
	DeedLocked    Deed = "locked_out"    // likewise, and the next one has to wait
	DeedSignedOn  Deed = "signed_on"     //
	DeedSignedOff Deed = "signed_off"    //
	DeedAllowed   Deed = "allowed"       // a supervisor's PIN was right
	DeedLate      Deed = "accepted_late" // it was right, and whoever typed it had left the prompt

	DeedAdded      Deed = "operator_added" // Whom can sign on from now on
	DeedPINChanged Deed = "pin_changed"    // of Whom

	DeedFenced Deed = "till_fenced" // a caller was told that nothing began with Key, and that nothing will
)

// Purpose says what a PIN is asked for.
type Purpose string

// The purposes.
const (
	ForSignOn   Purpose = "sign_on"
	ForOverride Purpose = "override" // a sale despite a doubt
	ForRefund   Purpose = "refund"
	ForResolve  Purpose = "resolve"
	ForZ        Purpose = "z_total"
	ForTraining Purpose = "training"
	ForStaff    Purpose = "operators" // to add one, or to change a PIN
)

// SharedSupervisor is the operator of the PIN that has no name ([supervisor]
// pin_hash).
const SharedSupervisor = "supervisor"

// PersonRecord is one deed. There is no PIN in it, nor a number that nobody has,
// which may be a PIN that was typed in the wrong place.
type PersonRecord struct {
	Deed     Deed    `json:"-"`
	Operator string  `json:"operator"`
	For      Purpose `json:"for,omitempty"`
	Whom     string  `json:"whom,omitempty"`     // the operator who was added, or whose PIN was changed
	Order    OrderID `json:"order_id,omitempty"` // the one in doubt, to be refunded or resolved

	Key      IdempotencyKey `json:"idempotency_key,omitempty"`
	Failures int            `json:"failures"` // of this operator, or of Whom, in a row, this one included
	Wait     int64          `json:"wait_seconds,omitempty"`
}

// PersonDid is a deed read back.
type PersonDid struct {
	Seq  int64 `json:"seq"`
	Deed Deed  `json:"event"`
	PersonRecord
	Stamp
}
