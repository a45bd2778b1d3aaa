package payterm

// Screen is what a cashier or a customer is to see, in words; a display driver
// lays it out for its glass. A zero field takes no room.
type Screen struct {
	Name      string    // stable name of the screen, never shown: idle, amount, scan ...
	Tone      Tone      // colour and symbol; the words must say the same
	Title     string    // one line at the top
	Status    string    // a few characters beside the title: clock, network, queue
	Amount    string    // the one large figure
	Lines     []string  // body, most important first; wrapped by the driver
	Items     []Item    // below the lines: a list, of which each is chosen by its key
	QR        string    // text of a QR code, drawn as large as the glass allows
	Elapsed   string    // waiting time, "0:42"
	Small     string    // one small line above the keys: the order id
	Keys      []KeyHint // what the keys do now, at most four
	Watermark string    // SIMULATION or TRAINING, on every frame
	Pattern   bool      // a test pattern in place of it all; Lines name red, green, blue, Title and Keys stay
}

// Tone is the mood of a screen. Each has a colour and a symbol, so that colour
// never stands alone.
type Tone uint8

// The tones.
const (
	Calm  Tone = iota // nothing is asked of anyone yet
	Busy              // the terminal waits for somebody or something
	Good              // approved, and nothing else
	Bad               // declined, not sent
	Doubt             // neither paid nor unpaid: act with care
)

// KeyHint names a key and, in a word or two, what it does now.
type KeyHint struct {
	Key  Key
	Does string
}

// Sound is what the buzzer plays.
type Sound string

// The sounds, told apart without looking.
const (
	SoundKey      Sound = "key"
	SoundScan     Sound = "scan"
	SoundApproved Sound = "approved"
	SoundDeclined Sound = "declined"
	SoundDoubt    Sound = "doubt"
	SoundAlarm    Sound = "alarm"
)

// Item is a line of a list. A display puts the keys of a list in one column, and its texts in another.
type Item struct {
	Key    Key
	Text   string
	Marked bool // ENTER chooses it
}

// String returns the item in one row: "> 1) Last sale". The bracket parts two numbers beside each other.
func (i Item) String() string {
	mark := ""
	if i.Marked {
		mark = "> "
	}
	return mark + string(i.Key) + ") " + i.Text
}
