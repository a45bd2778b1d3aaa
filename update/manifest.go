package update

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"payterm/screen"
)

// Manifest is what a bundle says of itself, with a signature that RAUC has checked.
type Manifest struct {
	Compatible  string `json:"compatible"`
	Version     string `json:"version"`
	Build       string `json:"build"`       // seconds since 1970, of the source
	Description string `json:"description"` // "store N": the form of its journal
}

// fits is why a bundle must not be installed over a version with this build time and journal
// form. An older version may have known faults. A journal form that the current version cannot
// read would leave it without a journal after a fallback: so a new form is first read by one
// version and written by the next one only.
func (m Manifest) fits(built, form int64) error {
	build, err := strconv.ParseInt(m.Build, 10, 64)
	if err != nil {
		return refuse(screen.NotOurs,
			fmt.Errorf("the bundle of %s does not say when it was built: it is not one of payterm's", m.Version))
	}
	word, number, _ := strings.Cut(m.Description, " ")
	writes, err := strconv.ParseInt(number, 10, 64)
	switch {
	case word != "store" || err != nil:
		return refuse(screen.NotOurs,
			fmt.Errorf("the bundle of %s does not say which journals it writes: it is not one of payterm's", m.Version))
	case build < built:
		return refuse(screen.OlderVersion,
			fmt.Errorf("version %s of %s is older than this one of %s: only newer ones are installed", m.Version,
				day(build), day(built)))
	case writes > form:
		return refuse(screen.JournalForm,
			fmt.Errorf("version %s writes journals of form %d, and this version, which has to take over when that one fails, reads %d at most: install a version in between first", m.Version, writes, form))
	}
	return nil
}

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04Z") }

func (u Updater) manifest(ctx context.Context, file string) (m Manifest, err error) {
	text, err := u.briefly(ctx, "rauc", "info", "--output-format=json", file)
	if err == nil {
		err = json.Unmarshal([]byte(text), &m)
	}
	if err != nil {
		err = refuse(screen.NotOurs, err)
	}
	return m, err
}
