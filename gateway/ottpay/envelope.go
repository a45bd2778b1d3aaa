package ottpay

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// pair is one field of an inner request. Every value is a string (section 2.2).
type pair struct{ key, value string }

// request is the outer envelope (section 1.1).
type request struct {
	Action     string `json:"action"`
	Version    string `json:"version"`
	MerchantID string `json:"merchant_id"`
	OperatorID string `json:"operator_id,omitempty"`
	TerminalNo string `json:"terminal_no,omitempty"`
	Data       string `json:"data"`
	MD5        string `json:"md5"`
}

// innerJSON writes the fields in their order, without HTML escaping. The gateway computes the digest over the
// decoded text; without escapes the decoding cannot differ.
func innerJSON(pairs []pair) string {
	var b strings.Builder
	b.WriteByte('{')
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoted(p.key) + ":" + quoted(p.value))
	}
	b.WriteByte('}')
	return b.String()
}

// seal returns data and digest of an inner request.
func seal(pairs []pair, signKey string) (data, md5Text string, err error) {
	o := make(object, len(pairs))
	for i, p := range pairs {
		o[i] = field{p.key, value{kind: isString, text: p.value}}
	}
	md5Text = digest(o.joined(forms[0]))
	data, err = encrypt([]byte(innerJSON(pairs)), dataKey(md5Text, signKey))
	return data, md5Text, err
}

// reply is an outer envelope as received. Only the content of data is protected (section 1.2).
type reply struct {
	code    string   // rsp_code
	inner   object   // nil if there was no data
	secrets []string // of the request; they must not be passed on
}

var errForged = errors.New("not authentic")

// openReply reads a body: JSON, or Base64 of JSON (section 15 no. 1). errForged marks a reply that a
// transmission fault does not explain.
func openReply(body []byte, signKey string) (reply, error) {
	text := strings.TrimSpace(string(body))
	if text == "" {
		return reply{}, errors.New("the reply is empty")
	}
	if text[0] != '{' {
		raw, err := base64.StdEncoding.DecodeString(stripSpace(text))
		if err != nil {
			return reply{}, errors.New("the reply is neither JSON nor Base64: a page of a network in between?")
		}
		text = string(raw)
	}
	outer, err := parseObject([]byte(text))
	if errors.Is(err, errDuplicate) {
		return reply{}, fmt.Errorf("%w: %w", errForged, err)
	}
	if err != nil {
		return reply{}, fmt.Errorf("the reply: %w", err)
	}
	r := reply{code: outer.str("rsp_code", "rep_code")}
	if r.code == "" {
		return reply{}, errors.New("the reply has no rsp_code")
	}
	if outer.absent("data") {
		return r, nil
	}
	r.inner, err = openData(outer.str("data"), outer.str("md5"), signKey)
	return r, err
}

// openData decrypts an inner object and checks its digest.
func openData(data, md5Text, signKey string) (object, error) {
	plain, err := decrypt(data, dataKey(md5Text, signKey))
	if err != nil {
		return nil, fmt.Errorf("%w: %w: is the sign key right?", errForged, err)
	}
	inner, err := parseObject(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: data: %w", errForged, err)
	}
	if !inner.digestFits(md5Text) {
		return nil, fmt.Errorf("%w: the digest does not fit the data", errForged)
	}
	return inner, nil
}

// marshalRequest writes the outer envelope.
func marshalRequest(r request) ([]byte, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	return b, nil
}
