package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"payterm"
)

// Error is a refusal or failure, in the terminal's words.
type Error struct {
	Code    Code   `json:"code,omitempty"`
	Message string `json:"error"`
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Errorf makes one.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives an error a code.
func Wrap(code Code, err error) *Error { return &Error{Code: code, Message: err.Error()} }

// Code is the kind of an error.
type Code string

// The codes, each with one HTTP status.
const (
	Malformed     Code = "malformed"     // not JSON, not of this form, or empty
	Unauthorized  Code = "unauthorized"  // a token is needed
	Forbidden     Code = "forbidden"     // calls from web pages
	Unknown       Code = "unknown"       // no such order or Z
	UnknownCall   Code = "unknown_call"  // no such path
	WrongMethod   Code = "wrong_method"  // the path needs another method
	Busy          Code = "busy"          // the counter is in use, or slips are printing
	NothingThere  Code = "nothing_there" // nothing is at the counter that could be cancelled
	KeyReused     Code = "key_reused"    // the idempotency key was used for another request
	Fenced        Code = "fenced"        // a caller was told that nothing began with the idempotency key
	NotNow        Code = "not_now"       // the terminal's state does not allow it
	NotAllowed    Code = "not_allowed"   // no supervisor allowed it
	InTraining    Code = "training"      // the terminal is in training
	Invalid       Code = "invalid"       // valid JSON with a refused value
	TooMany       Code = "too_many"      // too many callers or wrong tokens: try again later
	NotOpen       Code = "not_open"      // the journal is not open, or the loop has ended
	Unprovisioned Code = "unprovisioned" // the terminal has no merchant
	Provisioning  Code = "provisioning"  // it waits for the code of a new parcel
	TooLarge      Code = "too_large"     // a body of too many bytes
	TooSlow       Code = "too_slow"      // a request that was not complete in time (internal/httpd)
	Overloaded    Code = "overloaded"    // too many calls at once: ask again (internal/httpd)
	Failed        Code = "failed"        // an internal error
)

var statuses = map[Code]int{
	Malformed:     http.StatusBadRequest,
	Unauthorized:  http.StatusUnauthorized,
	Forbidden:     http.StatusForbidden,
	Unknown:       http.StatusNotFound,
	UnknownCall:   http.StatusNotFound,
	WrongMethod:   http.StatusMethodNotAllowed,
	Busy:          http.StatusConflict,
	NothingThere:  http.StatusConflict,
	KeyReused:     http.StatusConflict,
	Fenced:        http.StatusConflict,
	NotNow:        http.StatusConflict,
	NotAllowed:    http.StatusConflict,
	InTraining:    http.StatusConflict,
	Invalid:       http.StatusUnprocessableEntity,
	TooMany:       http.StatusTooManyRequests,
	NotOpen:       http.StatusServiceUnavailable,
	Unprovisioned: http.StatusServiceUnavailable,
	Provisioning:  http.StatusServiceUnavailable,
	TooLarge:      http.StatusRequestEntityTooLarge,
	TooSlow:       http.StatusRequestTimeout,
	Overloaded:    http.StatusServiceUnavailable,
	Failed:        http.StatusInternalServerError,
}

// Status is the HTTP status of a code.
func (c Code) Status() int { return cmp.Or(statuses[c], http.StatusInternalServerError) }

// errorOf gives any error a code.
func errorOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		if e.Message == err.Error() {
			return e
		}
		return &Error{Code: e.Code, Message: err.Error()}
	}
	return Wrap(Failed, err)
}

// statusOfOrder is the HTTP status of an answer that ends with this order. An order without an id
// never began.
func statusOfOrder(o payterm.Order) int {
	if o.ID != "" || o.Outcome != payterm.NotSent {
		return http.StatusOK
	}
	switch o.Reason {
	case payterm.ReasonStorage:
		return http.StatusServiceUnavailable
	case payterm.ReasonSaleUnknown:
		return http.StatusNotFound
	case payterm.ReasonRefundCap, payterm.ReasonNotRefundable, payterm.ReasonOtherMerchant, payterm.ReasonDayLimit:
		return http.StatusUnprocessableEntity
	}
	return http.StatusConflict
}

// The errors of a terminal that waits for a parcel.
var (
	ErrUnprovisioned = &Error{Unprovisioned, "not provisioned: this terminal knows no merchant yet; " +
		"scan a parcel, plug in a stick with one, or payterm provision FILE"}
	ErrProvisioning = &Error{Provisioning, "not now: the terminal waits for the code of a new parcel, " +
		"and goes on as before when none comes"}
)
