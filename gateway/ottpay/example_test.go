package ottpay_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"payterm"
	"payterm/gateway/ottpay"
	"payterm/gateway/ottsim"
)

// A client asks the gateway and returns each outcome as a payterm.Answer. Here the simulator is the gateway; in
// the field URL is https.
func Example() {
	sim := ottsim.New(ottsim.Config{MerchantID: "ON00000000", SignKey: "0123456789ABCDEF", Seed: 1})
	server := httptest.NewServer(sim)
	defer server.Close()
	sim.SetBaseURL(server.URL)

	client, err := ottpay.New(ottpay.Config{
		URL: server.URL + "/processV2", MerchantID: "ON00000000", OperatorID: "0000000696", SignKey: "0123456789ABCDEF",
		CallBackURL: "https://example.com/callback", Currency: "CAD", Now: time.Now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	total := payterm.Amount{Minor: 1234, Currency: "CAD"}
	ask := func(id payterm.OrderID) {
		switch answer := client.Inquire(context.Background(), payterm.Inquiry{OrderID: id, Total: total}).(type) {
		case payterm.Paid:
			fmt.Println("paid", answer.PaidMinor)
		case payterm.Pending:
			fmt.Println("not paid yet")
		case payterm.NotFound:
			fmt.Println("the gateway does not know it")
		case payterm.Unsent:
			fmt.Println("nothing was sent")
		default:
			fmt.Printf("settles nothing: %T\n", answer)
		}
	}
	ask("T1AAAAA000001")
	payment := payterm.Payment{OrderID: "T1AAAAA000001", Mode: payterm.Active, Wallet: payterm.Alipay, Total: total}
	if _, made := client.Pay(context.Background(), payment).(payterm.CodeMade); made {
		fmt.Println("the customer scans a code")
	}
	ask("T1AAAAA000001")
	server.Close() // the gateway cannot be reached any more
	ask("T1AAAAA000001")
	// Output:
	// the gateway does not know it
	// the customer scans a code
	// not paid yet
	// nothing was sent
}
