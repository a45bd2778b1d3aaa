// Command payterm is the agent and the field engineer's commands.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a small board may have no time zones

	"payterm"
	"payterm/storage"
	"payterm/terminal/api"

	"github.com/alecthomas/kong"
)

// version and built (seconds since 1970) are set by the Makefile.
var (
	version = "unknown"
	built   = "0"
)

// buildTime is the build; an earlier clock is wrong.
func buildTime() time.Time {
	seconds, err := strconv.ParseInt(built, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}

type cli struct {
	VersionFlag showVersion `name:"version" short:"V" help:"Print the version."`

	Sale      saleCmd      `cmd:"" group:"sell" help:"Make a sale with the running agent."`
	Refund    refundCmd    `cmd:"" group:"sell" help:"Refund a sale with the running agent, in whole or in part."`
	Cancel    cancelCmd    `cmd:"" group:"sell" help:"Cancel, as the CANCEL key of the terminal does."`
	Status    statusCmd    `cmd:"" group:"sell" help:"Show the state of the agent, or of an order."`
	Resolve   resolveCmd   `cmd:"" group:"sell" help:"Settle an order that waits for a supervisor."`
	Totals    totalsCmd    `cmd:"" group:"sell" help:"Print and show the day totals: x is the total so far, z closes the day."`
	Reconcile reconcileCmd `cmd:"" group:"sell" help:"Ask the gateway about each sale of a business day or a Z, and list what differs."`
	Training  trainingCmd  `cmd:"" group:"sell" help:"Start or end training, in which no money moves."`
	Doctor    doctorCmd    `cmd:"" group:"look" help:"Test the running terminal: devices, journal, clock, and each step of the network."`
	Journal   struct {
		List   listCmd   `cmd:"" help:"List orders, the newest last, or the actions of operators."`
		Show   showCmd   `cmd:"" help:"Show one order and its events."`
		Export exportCmd `cmd:"" help:"Write a copy of the journal to a new file and check it."`
		Verify verifyCmd `cmd:"" help:"Check the file, its hash chain, and each order against the chain."`
	} `cmd:"" group:"look" help:"Read the journal. The agent may be running."`
	Queue struct {
		List queueCmd `cmd:"" help:"List the tasks that wait for the network."`
	} `cmd:"" group:"look" help:"Tasks that wait for the network."`
	Bundle  bundleCmd  `cmd:"" group:"look" help:"Write a service file: log, self test and configuration, without secrets."`
	Reports reportsCmd `cmd:"" group:"look" help:"Write the day, every Z and a copy of the journal into a folder, for the office."`
	Run     runCmd     `cmd:"" group:"make" help:"Run the agent on this machine's hardware, under systemd."`
	Config  struct {
		Check configCheckCmd `cmd:"" help:"Check a configuration."`
		Keys  configKeysCmd  `cmd:"" help:"List the keys of a configuration, with their defaults."`
	} `cmd:"" group:"make" help:"Check a configuration, or list its keys."`
	Board struct {
		List  boardListCmd  `cmd:"" help:"List the boards that payterm knows."`
		Check boardCheckCmd `cmd:"" help:"Check a board profile."`
		Show  boardShowCmd  `cmd:"" help:"Show the wiring of a board."`
		Keys  boardKeysCmd  `cmd:"" help:"List the keys of a board profile, with their defaults."`

		Printers boardPrintersCmd `cmd:"" help:"List the printers that payterm knows by name; model in a profile takes such a name."`
	} `cmd:"" group:"make" help:"Board profiles: which chip is on which wire."`
	Provision struct {
		Make    provisionMakeCmd    `cmd:"" help:"Make a parcel: a signed and encrypted configuration that expires."`
		Install provisionInstallCmd `cmd:"" default:"withargs" help:"Set up this machine as a terminal, with a parcel."`
	} `cmd:"" group:"make" help:"Parcels: they set up a board as a merchant's terminal."`
	PIN     pinCmd     `cmd:"" name:"pin" group:"make" help:"Make the hash of a PIN, for the configuration."`
	Update  updateCmd  `cmd:"" group:"make" help:"Install a newer signed version of the whole system, keep the present one beside it, and restart."`
	Version versionCmd `cmd:"" group:"look" help:"Print the version."`
	Emulate emulateCmd `cmd:"" group:"try" help:"Run the agent on emulated hardware, with a front panel in the browser."`
	Pages   pagesCmd   `cmd:"" hidden:"" help:"Write the man page and the completions."`
	Notice  noticeCmd  `cmd:"" hidden:"" help:"Show a known notice on the terminal's screen."`
}

type store struct {
	Data string `help:"Data directory." default:"/var/lib/payterm" env:"PAYTERM_DATA"`
	JSON bool   `help:"Print one JSON document." name:"json"`
}

func (s store) read(use func(*storage.Reader) error) error {
	if about, err := os.Stat(s.Data); err == nil && about.Mode().IsRegular() {
		return usage("--data %s is a file: name the directory that it is in. A copied journal is payterm.db there, with "+
			"payterm.db-wal beside it where there was one", s.Data)
	}
	return readFile(filepath.Join(s.Data, "payterm.db"), use)
}

func (s store) print(v any, text func()) error {
	if !s.JSON {
		text()
		return nil
	}
	printed = true
	return json.NewEncoder(os.Stdout).Encode(v)
}

type versionCmd struct {
	JSON bool `help:"Print one JSON document." name:"json"`
}

func (c versionCmd) Run() error {
	v := struct {
		Version string    `json:"version"`
		Built   time.Time `json:"built"`
		Store   int       `json:"store"` // the form of the journal's file
	}{version, buildTime().UTC(), storage.Form()}
	return store{JSON: c.JSON}.print(v, func() { fmt.Println("payterm", version) })
}

type showCmd struct {
	store
	Order payterm.OrderID `arg:"" help:"Order id."`
}

func (c showCmd) Run() error {
	return c.read(func(r *storage.Reader) error {
		o, found, err := r.Order(c.Order)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("no order %s in the journal: payterm journal list shows those that are", c.Order)
		}
		events, err := r.Events(c.Order)
		if err != nil {
			return err
		}
		type shown struct {
			payterm.Order
			Events []payterm.Journaled `json:"events"`
		}
		return c.print(shown{o, events}, func() {
			fmt.Printf("%s  %s %s %s %s  %s %s\n", o.ID, o.Kind, o.Mode, o.Total(), o.Currency, o.Outcome, o.Reason)
			for _, e := range events {
				fmt.Printf("%6d  %s  %-17s %s\n", e.Seq, e.Wall.Format("2006-01-02 15:04:05Z"), e.Event, e.Body)
			}
		})
	})
}

type queueCmd struct{ store }

// Run asks the agent, which knows the times of inquiries; without an agent it reads the journal.
func (c queueCmd) Run() error {
	list, err := c.agent().Queue(context.Background())
	if api.NotRunning(err) {
		err = c.read(func(r *storage.Reader) (err error) { list.Queue, err = r.Queue(); return err })
	}
	if err != nil {
		return err
	}
	return c.print(list, func() {
		if len(list.Queue) == 0 {
			fmt.Println("nothing is owed to the network")
		}
		for _, q := range list.Queue {
			state := string(q.State)
			switch q.State {
			case payterm.QueueInLine:
				state = fmt.Sprintf("number %d in line", q.Line)
			case payterm.QueuePlanned:
				state = "next at " + q.NextAt.Format("15:04:05Z")
			case payterm.QueueAsking:
			}
			fmt.Println(strings.TrimSpace(fmt.Sprintf("%-20s %s since %s  asked %d times  %s", q.OrderID, q.Task,
				q.Since.Format("2006-01-02 15:04:05Z"), q.Attempts, state)))
		}
	})
}

// exitStatuses is printed below the help, and in more words in the man page.
const exitStatuses = `Exit status of sale and refund: 0 approved, 10 declined, 11 cancelled, 12 in doubt (do not charge again), 13 not sent.
Of cancel: 0 the order ended unpaid, 10 the wallet had declined it, 12 it is paid or may still be paid,
13 there is no order to end.
Of all commands: 1 failure, 2 wrong usage; of bundle: 3 the file is written but incomplete; of reports: 4 the folder
has no room, 5 it cannot be written; of run: 78 the configuration must be corrected first.`

func newParser(c *cli) *kong.Kong {
	return kong.Must(c, kong.Name("payterm"), kong.Description("The agent of a payment terminal."),
		kong.ExplicitGroups([]kong.Group{
			{Key: "sell", Title: "On a running terminal"}, {Key: "look", Title: "Inspecting a terminal"},
			{Key: "make", Title: "Setting up and maintaining a terminal"}, {Key: "try", Title: "Without hardware"},
		}), kong.Help(help), kong.Vars{"channels": payterm.Either(payterm.Channels...)})
}

// help is kong's help, with the exit statuses below that of the whole program.
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() == nil {
		fmt.Fprintf(ctx.Stdout, "\n%s\n", exitStatuses)
	}
	return nil
}

// asked changes "help sale" to "sale --help".
func asked(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// showVersion is the flag that does the same as the version command.
type showVersion bool

// BeforeReset is kong's hook. The flag ends the program before kong complains about a missing command.
func (showVersion) BeforeReset(app *kong.Kong) error {
	err := versionCmd{}.Run()
	app.Exit(0)
	return err
}

func main() {
	var c cli
	parser := newParser(&c)
	ctx, err := parser.Parse(asked(os.Args[1:]))
	asJSON := slices.Contains(os.Args[1:], "--json")
	if err != nil {
		help := "payterm --help"
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Selected() != nil {
			help = wrong.Context.Selected().FullPath() + " --help"
		}
		os.Exit(fail(fmt.Errorf("%w (%s tells more)", err, help), 2, asJSON))
	}
	if who, ok := ctx.Selected().Target.Addr().Interface().(interface{ asOwner() error }); ok {
		err = who.asOwner()
	}
	if err == nil {
		err = ctx.Run()
	}
	var status exitStatus
	var wrong usageError
	switch {
	case errors.As(err, &status):
		os.Exit(int(status))
	case errors.As(err, &wrong):
		os.Exit(fail(err, 2, asJSON))
	case err != nil:
		os.Exit(fail(err, 1, asJSON))
	}
}

// usageError is a wrong use of a command; exit status 2.
type usageError struct{ error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// fail prints an error; with --json as a document, so that there is always exactly one.
func fail(err error, status int, asJSON bool) int {
	fmt.Fprintln(os.Stderr, "payterm:", err)
	if asJSON && !printed {
		doc := api.Error{Message: err.Error()}
		var refused *api.Error
		if errors.As(err, &refused) {
			doc.Code = refused.Code
		}
		json.NewEncoder(os.Stdout).Encode(doc) //nolint:errcheck // the reader may be gone
	}
	return status
}

// printed is set once a command has printed its document.
var printed bool
