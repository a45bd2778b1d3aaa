package panel

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"payterm"
)

// Trial is what can be tried at the page without a configuration file. What is empty stays as the configuration
// has it. The PINs are for trials: the page shows them.
type Trial struct {
	Language         string   `json:"language"`          // of the screens, a word of payterm.Languages
	ReceiptLanguages []string `json:"receipt_languages"` // of the customer's slip, at most two
	Tips             []int    `json:"tips"`              // in percent
	SupervisorPIN    string   `json:"supervisor_pin"`    // digits
	Operator         string   `json:"operator"`          // number of one more operator
	OperatorPIN      string   `json:"operator_pin"`      // digits
}

// Trials restart the terminal for a trial.
type Trials interface {
	Now() Trial
	// Try starts the terminal anew with a trial and returns when it runs. It refuses what the configuration does,
	// and while somebody is at the counter or an order is open.
	Try(ctx context.Context, t Trial) error
}

// languages are the choices for the screens.
var languages = func() (list []named) {
	for _, l := range payterm.Languages {
		list = append(list, named{l, languageNames[l]})
	}
	return list
}()

var languageNames = map[string]string{"en": "English", "fr": "French", "zh": "Chinese"}

// slipLanguages are the choices for slips: each language, and each two of them in both orders, by their words with
// a space between.
func slipLanguages() (list []named) {
	list = append(list, languages...)
	for _, first := range languages {
		for _, second := range languages {
			if first != second {
				list = append(list, named{first.Name + " " + second.Name, first.Means + " and " + second.Means})
			}
		}
	}
	return list
}

// try is POST /emu/trial.
func (p *Panel) try(w http.ResponseWriter, r *http.Request) {
	var in Trial
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	if err == nil && p.o.Trial == nil {
		err = errNoTrials
	}
	if err == nil {
		err = p.o.Trial.Try(r.Context(), in)
	}
	answer(w, nil, err)
}

var errNoTrials = errors.New("this terminal takes no trials")
