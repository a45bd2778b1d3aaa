package provision_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"payterm/provision"
)

// The merchant's office makes a parcel and sends its code separately. The terminal reads the parcel, checks it
// against the signers that it trusts, and opens it.
func Example() {
	random := bytes.NewReader(bytes.Repeat([]byte{1}, 64)) // crypto/rand.Reader in a program
	signer, _, err := provision.NewSigner(random)
	if err != nil {
		fmt.Println(err)
		return
	}
	made := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	code := provision.Code("471122869103") // provision.DrawCode in a program
	text, err := provision.Make(provision.Terms{Made: made, Life: 24 * time.Hour},
		provision.Content{SignKey: "0123456789ABCDEF", Config: []byte("[terminal]\nid = \"T2\"\n")}, code, signer)
	if err != nil {
		fmt.Println(err)
		return
	}

	parcel, err := provision.Read(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	receiver := provision.Receiver{Signers: []ed25519.PublicKey{signer.Public().(ed25519.PublicKey)},
		Now: made.Add(time.Hour)}
	fmt.Println(parcel.Check(receiver))
	content, err := parcel.Open(code)
	fmt.Printf("%s%v\n", content.Config, err)
	fmt.Println(content)

	receiver.Now = made.Add(25 * time.Hour)
	var refused provision.Refused
	if errors.As(parcel.Check(receiver), &refused) {
		fmt.Println(refused.Reason)
	}
	// Output:
	// <nil>
	// [terminal]
	// id = "T2"
	// <nil>
	// (content of a parcel)
	// expired
}
