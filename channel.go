package payterm

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Channel is what a customer pays with, as a person chooses it: today one of three wallets.
// Its text stands in journals, configurations and the local API. What a gateway calls it
// is the gateway's affair (the sheet's biz_type, section 3.1).
type Channel string

// The channels.
const (
	Alipay    Channel = "ALIPAY"
	WeChatPay Channel = "WECHATPAY"
	UnionPay  Channel = "UNIONPAY"
)

// Channels lists them in the order in which a cashier is offered them. A new one is
// added at its end: a ChannelSet counts by the place.
var Channels = []Channel{Alipay, WeChatPay, UnionPay}

// Valid reports whether c is one of the channels.
func (c Channel) Valid() bool { return slices.Contains(Channels, c) }

// Name is the channel's name as its customers know it.
func (c Channel) Name() string {
	switch c {
	case Alipay:
		return "Alipay"
	case WeChatPay:
		return "WeChat Pay"
	case UnionPay:
		return "UnionPay"
	}
	return string(c)
}

// ChannelSet is a set of channels. It can be compared, and its zero value is empty.
type ChannelSet uint32

// ChannelSetOf makes a set; what is no channel is left out.
func ChannelSetOf(channels ...Channel) ChannelSet {
	var s ChannelSet
	for _, c := range channels {
		if i := slices.Index(Channels, c); i >= 0 {
			s |= 1 << i
		}
	}
	return s
}

// List is the set's channels in the order of Channels.
func (s ChannelSet) List() []Channel {
	var list []Channel
	for i, c := range Channels {
		if s&(1<<i) != 0 {
			list = append(list, c)
		}
	}
	return list
}

// Takes reports whether a code of this channel is accepted. An empty set accepts all. A code whose
// form does not show its channel (empty) is accepted too: the channel of its sale decides.
func (s ChannelSet) Takes(c Channel) bool { return s == 0 || c == "" || s&ChannelSetOf(c) != 0 }

// MarshalJSON writes the channels' texts.
func (s ChannelSet) MarshalJSON() ([]byte, error) {
	list := s.List()
	if list == nil {
		list = []Channel{}
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads a list of the channels' texts, or the form of the first versions, a list of
// booleans for the first three channels. An unknown channel is an error. If it were left out, the
// set would accept less than was meant or, if nothing else is in it, everything.
func (s *ChannelSet) UnmarshalJSON(text []byte) error {
	var has []bool
	if err := json.Unmarshal(text, &has); err == nil {
		if len(has) > len(Channels) {
			return fmt.Errorf("channels: %d of them, and there are %d", len(has), len(Channels))
		}
		*s = 0
		for i, is := range has {
			if is {
				*s |= 1 << i
			}
		}
		return nil
	}
	var list []Channel
	if err := json.Unmarshal(text, &list); err != nil {
		return fmt.Errorf("channels: %w", err)
	}
	for _, c := range list {
		if !c.Valid() {
			return fmt.Errorf("channels: %q is none", string(c))
		}
	}
	*s = ChannelSetOf(list...)
	return nil
}
