package screen

import "payterm"

// Notice is a message of the terminal's system about updates, USB sticks and the service. The set is closed, so
// that no text from outside reaches the display.
type Notice string

// The notices.
const (
	NoNotice         Notice = ""
	UpdateInstalling Notice = "update_installing" // beside the running version, which still sells
	UpdateWaiting    Notice = "update_waiting"    // installed; it restarts when no sale is under way
	UpdateRestarting Notice = "update_restarting" // now
	UpdateRefused    Notice = "update_refused"    // with a reason
	UpdateDone       Notice = "update_done"       // the new version works
	UpdateUndone     Notice = "update_undone"     // it did not, and the old version is back
	StickDone        Notice = "stick_done"        // it can be taken out
	StickRefused     Notice = "stick_refused"     // with a reason
	StickWriting     Notice = "stick_writing"     // it must stay where it is
	ReportsWritten   Notice = "stick_reports"     // `payterm reports`, and it can be taken out
	ServiceWritten   Notice = "service_written"   // `payterm bundle` wrote its file

	ParcelWaitsForZ      Notice = "parcel_z"      // it changes the merchant: the day must be closed first
	ParcelWaitsForOrders Notice = "parcel_orders" // the same, and an order is open

	ScannerLayout  Notice = "scanner_layout"  // it types for another keyboard layout than the board profile says
	ScannerFraming Notice = "scanner_framing" // what it sends is no code by the board profile's framing and baud
)

// Refusal is why an update or a stick was refused.
type Refusal string

// The refusals of an update, and after them those of a stick.
const (
	NotOurs       Refusal = "not_ours" // altered, or with another signature
	OlderVersion  Refusal = "older"    // than the running version
	SameVersion   Refusal = "same"     // as the running version
	OtherBoard    Refusal = "other_board"
	JournalForm   Refusal = "journal_form"  // this version cannot read its journal
	NoRoom        Refusal = "no_room"       // on the data partition
	ClockNotSet   Refusal = "clock_not_set" // the validity of a signature cannot be checked
	OrderOpen     Refusal = "order_open"
	FailedBefore  Refusal = "failed_before" // on this terminal
	OnTrial       Refusal = "on_trial"      // the running version is still being tested
	NotFetched    Refusal = "not_fetched"   // from its address
	NotInstalled  Refusal = "not_installed" // for another reason, which is in the log
	StickDamaged  Refusal = "unreadable"
	StickFull     Refusal = "full"
	WriteGuarded  Refusal = "write_protected"
	NothingToTake Refusal = "nothing"    // for a terminal
	NoReports     Refusal = "no_reports" // the terminal could not make them
)

// Refusals returns the refusals that a notice may have, or none.
func (n Notice) Refusals() []Refusal {
	switch n {
	case UpdateRefused:
		return []Refusal{NotOurs, OlderVersion, SameVersion, OtherBoard, JournalForm, NoRoom, ClockNotSet, OrderOpen,
			FailedBefore, OnTrial, NotFetched, NotInstalled}
	case StickRefused:
		return []Refusal{StickDamaged, StickFull, WriteGuarded, NothingToTake, NoReports}
	case NoNotice, UpdateInstalling, UpdateWaiting, UpdateRestarting, UpdateDone, UpdateUndone, StickDone,
		StickWriting, ReportsWritten, ServiceWritten, ParcelWaitsForZ, ParcelWaitsForOrders, ScannerLayout,
		ScannerFraming:
	}
	return nil
}

// Notices lists all notices.
var Notices = []Notice{
	UpdateInstalling, UpdateWaiting, UpdateRestarting, UpdateRefused, UpdateDone, UpdateUndone, StickDone, StickRefused,
	StickWriting, ReportsWritten, ServiceWritten,
	ParcelWaitsForZ, ParcelWaitsForOrders,
	ScannerLayout, ScannerFraming,
}

// news returns the notice in words, or "".
func (o Options) news(t *texts) string {
	if o.Refusal != "" {
		return t.notTaken[o.Refusal]
	}
	return t.notices[o.Notice]
}

// restarting replaces the idle screen's main line, so that nobody begins a sale. The rest of the screen stays.
func restarting(s *payterm.Screen, t *texts, o Options) {
	s.Tone, s.Title, s.Amount, s.Keys, s.Lines[0] = payterm.Busy, o.news(t), "", nil, t.restartingLine
}
