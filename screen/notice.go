package screen

import "payterm"

// Notice is what the terminal's system has to tell whoever stands before it: of updates,
// USB sticks and the service. The vocabulary is closed; no words of anybody else's come
// to the glass this way.
type Notice string

// The notices.
const (
	NoNotice         Notice = ""
	UpdateInstalling Notice = "update_installing" // beside this version; it sells on
	UpdateWaiting    Notice = "update_waiting"    // installed; it restarts when nobody pays
	UpdateRestarting Notice = "update_restarting" // now
	UpdateRefused    Notice = "update_refused"    // with a reason
	UpdateDone       Notice = "update_done"       // the new version is found healthy
	UpdateUndone     Notice = "update_undone"     // it was not, and the old one is back
	StickDone        Notice = "stick_done"        // it can be taken out
	StickRefused     Notice = "stick_refused"     // with a reason
	ServiceWritten   Notice = "service_written"   // what `payterm bundle` packs

	ParcelWaitsForZ      Notice = "parcel_z"      // it changes the merchant: close the day first
	ParcelWaitsForOrders Notice = "parcel_orders" // likewise, and an order is open

	ScannerLayout Notice = "scanner_layout" // it types for another keyboard than the board profile says
)

// Refusal is why an update or a stick was not taken.
type Refusal string

// The refusals of an update, and after them those of a stick.
const (
	NotOurs       Refusal = "not_ours" // altered, or signed by somebody else
	OlderVersion  Refusal = "older"    // than what runs
	SameVersion   Refusal = "same"     // as what runs
	OtherBoard    Refusal = "other_board"
	JournalForm   Refusal = "journal_form"  // this version could not read its journals
	NoRoom        Refusal = "no_room"       // on the data partition
	ClockNotSet   Refusal = "clock_not_set" // and a signature has a date
	OrderOpen     Refusal = "order_open"
	FailedBefore  Refusal = "failed_before" // here
	OnTrial       Refusal = "on_trial"      // what runs is not found healthy yet
	NotFetched    Refusal = "not_fetched"   // from its address
	NotInstalled  Refusal = "not_installed" // for another reason, which the log has
	StickDamaged  Refusal = "unreadable"
	StickFull     Refusal = "full"
	WriteGuarded  Refusal = "write_protected"
	NothingToTake Refusal = "nothing" // that is for a terminal
)

// Refusals are those that a notice may have; none for a notice without.
func (n Notice) Refusals() []Refusal {
	switch n {
	case UpdateRefused:
		return []Refusal{NotOurs, OlderVersion, SameVersion, OtherBoard, JournalForm, NoRoom, ClockNotSet, OrderOpen,
			FailedBefore, OnTrial, NotFetched, NotInstalled}
	case StickRefused:
		return []Refusal{StickDamaged, StickFull, WriteGuarded, NothingToTake}
	case NoNotice, UpdateInstalling, UpdateWaiting, UpdateRestarting, UpdateDone, UpdateUndone, StickDone,
		ServiceWritten, ParcelWaitsForZ, ParcelWaitsForOrders, ScannerLayout:
	}
	return nil
}

// Notices are all that there are.
var Notices = []Notice{
	UpdateInstalling, UpdateWaiting, UpdateRestarting, UpdateRefused, UpdateDone, UpdateUndone, StickDone, StickRefused,
	ServiceWritten,
	ParcelWaitsForZ, ParcelWaitsForOrders,
	ScannerLayout,
}

// news is the notice in words; none without one.
func (o Options) news(t *texts) string {
	if o.Refusal != "" {
		return t.notTaken[o.Refusal]
	}
	return t.notices[o.Notice]
}

// restarting takes the idle screen's main line, so that nobody begins. What waits, and
// the way to the gateway, stay.
func restarting(s *payterm.Screen, t *texts, o Options) {
	s.Tone, s.Title, s.Amount, s.Keys, s.Lines[0] = payterm.Busy, o.news(t), "", nil, t.restartingLine
}
