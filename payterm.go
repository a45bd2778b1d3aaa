// Package payterm holds the words of the house: what a payment terminal talks
// about, whichever wire, chip or gateway is behind it. Amounts, order ids,
// payment codes, the answers of a gateway, what stands on the screen and on
// paper.
//
// It decides nothing and reaches nothing: no clock, no randomness, no file, no
// network. The flows decide (flows/order, flows/counter), the drivers and the gateway client
// speak bytes, storage keeps; all of them meet in these words and only here.
package payterm
