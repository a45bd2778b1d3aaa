package flowstest

import (
	"fmt"
	"time"
)

// attack adds a scene with a hostile gateway, a wrong clock, a careless till or a failing disk.
func (d *planner) attack() {
	switch d.r.IntN(16) {
	case 0, 1, 2:
		d.till()
	case 3: // an old key
		if len(d.keys) > 0 {
			d.do("retry %s%s", d.pick(d.keys...), d.pick("", "", " 7.77", " dies 2s"))
			return
		}
		d.till()
	case 4: // a till that polls some of many orders
		d.doubts(6 + d.r.IntN(6))
		d.do("poll 200ms %s %d", d.pick("30s", "80s", "80s"), 1+d.r.IntN(5))
	case 5: // a gateway that does not answer during a start, then a person who asks
		d.doubts(5 + d.r.IntN(5))
		d.do("net lost_before query %d", 4+d.r.IntN(10))
		d.pause(time.Second)
		d.do("kill 5s")
		d.pause(4 * time.Second)
		d.sale()
	case 6, 7: // a doubt, a clock that jumps, and the same amount again
		amount := d.doubt()
		d.do("clockat %d %s", 1+d.r.IntN(6), d.jump())
		d.pause(20 * time.Second)
		d.do("%s", d.pick("kill 5s", "kill 40s", "dieat 1", "key CLEAR"))
		d.pause(100 * time.Second)
		d.do(d.pick("passive %s ALIPAY ok", "twice %s"), amount)
	case 8: // a clock that stays wrong
		d.do("%s", d.pick("clock", "clock", "clockat 9")+" "+d.jump())
		d.pause(5 * time.Minute)
		d.sale()
		d.wait(d.hours())
		d.do("%s", d.pick("z", "clock right", "clock "+d.jump(), "clockat 7 right", "kill 10s"))
	case 9, 10: // replies that are authentic but out of date
		d.do("passive %s ALIPAY ok", d.pick("12.34", "99.99"))
		d.pause(20 * time.Second)
		for range 1 + d.r.IntN(2) {
			d.do("refund 1.00")
			d.pause(30 * time.Second)
		}
		d.do("net %s query %d", d.pick("old", "old_lost"), 1+d.r.IntN(3)/2)
		d.do("net %s refund 1", d.pick("lost_before", "lost_before", "old_lost", "old", "no_route"))
		d.pause(2 * time.Second)
		d.do("refund %s", d.pick("1.00", "1.00", "2.50"))
	case 11: // another currency, or another merchant
		if d.r.IntN(2) == 0 {
			d.do("z")
			d.pause(2 * time.Second)
		}
		d.do("config %s %s", d.pick("1", "2", "2"), d.pick("CAD", "JPY", "JPY"))
		d.pause(10 * time.Second)
		d.sale()
		d.pause(time.Minute)
		d.do("%s", d.pick("refund 1.00", "z", "api passive 12.34 C1", "reconcile"))
	case 12: // a slow disk
		d.do("stall %d %s", 1+d.r.IntN(6), d.pick("6s", "40s", "70s", "90s"))
		d.pause(2 * time.Second)
		d.sale()
	case 13: // an unreadable record
		amount := d.doubt()
		if d.r.IntN(3) == 0 {
			d.do("resolve")
			d.wait(10 * time.Second)
		}
		d.do("damage")
		d.pause(100 * time.Second)
		d.do("passive %s ALIPAY ok", amount)
	case 14, 15: // a till that sells, and for hours nobody presses a key
		for range 1 + d.r.IntN(3) {
			d.do("api passive %s %s", d.amount(), d.key())
			d.wait(d.hours())
			d.do("%s", d.pick("z", "z", "api active "+d.amount()+" "+d.key()))
			d.pause(time.Minute)
		}
		d.wait(d.hours())
		d.do("retry %s%s", d.pick(d.keys...), d.pick("", "", " 7.77"))
	}
}

// key is a new idempotency key.
func (d *planner) key() string {
	key := fmt.Sprintf("T%d", len(d.keys)+1)
	d.keys = append(d.keys, key)
	return key
}

// hours is long enough for something to end by itself: a code's life, a retention time.
func (d *planner) hours() time.Duration {
	switch d.r.IntN(8) {
	case 0:
		return 26 * time.Hour
	case 1, 2:
		return 3 * time.Hour
	}
	return 40 * time.Minute
}

// jump is a change of the clock.
func (d *planner) jump() string {
	return d.pick("25h", "25h", "1h", "-1h", "-25h", "9600h", "unset", "right")
}

// doubt adds a sale whose result is unknown and returns its amount.
func (d *planner) doubt() string {
	amount := d.pick("12.34", "5.00", "99.99")
	d.do("net %s pay 1", d.pick("lost_before", "lost_before", "lost_after"))
	d.do("net lost_before query 4")
	d.pause(time.Second)
	d.do("passive %s ALIPAY ok", amount)
	d.wait(65*time.Second + time.Duration(d.r.IntN(20))*time.Second)
	d.do("key CLEAR")
	d.pause(time.Minute)
	return amount
}

// doubts adds many orders that the cashier gives up.
func (d *planner) doubts(n int) {
	for i := range n {
		d.do("active %d.%02d never", 20+i, d.r.IntN(100))
		d.wait(7 * time.Second)
		d.do("key CANCEL")
		d.wait(2 * time.Second)
	}
}

// till adds a till that retries, dies and comes back.
func (d *planner) till() {
	mode, key := d.pick("passive", "passive", "active"), d.key()
	ask := fmt.Sprintf("api %s %s %s", mode, d.amount(), key)
	again := "retry " + key + d.pick("", "", "", " 7.77")
	switch d.r.IntN(8) {
	case 6: // its question overtakes its request
		d.do("settle %s", key)
		d.pause(100 * time.Millisecond)
		d.do("%s", ask)
		d.pause(10 * time.Second)
		d.do("settle %s", key)
	case 7: // loses the answer, and asks before it repeats itself
		d.do("%s dies %s", ask, d.pick("1ms", "500ms", "3s"))
		if d.r.IntN(2) == 0 {
			d.do("%s", d.pick("dieat 1", "dieat 2", "full 1 20s"))
		}
		d.pause(time.Second)
		d.do("settle %s", key)
		d.pause(10 * time.Second)
		d.do("%s", again)
		d.pause(time.Minute)
		d.do("settle %s", key)
	case 0: // dies and comes back
		d.do("%s dies %s", ask, d.pick("500ms", "3s", "10s"))
		d.pause(10 * time.Second)
		d.do("%s", again)
	case 1: // does not wait
		d.do("%s", ask)
		d.pause(5 * time.Second)
		d.do("%s", again)
	case 2: // a power cut in between
		d.do("%s", ask)
		d.pause(8 * time.Second)
		d.do("%s", d.pick("kill 5s", "dieat 3", "kill 40s"))
		d.pause(10 * time.Second)
		d.do("%s", again)
	case 3: // sells despite a doubt, which needs a PIN, and does not wait
		amount := d.doubt()
		d.do("api passive %s %s despite", amount, key)
		d.pause(4 * time.Second)
		d.do("%s", again)
	case 4, 5: // the same with a refund
		d.do("passive %s ALIPAY ok", d.pick("12.34", "99.99"))
		d.pause(20 * time.Second)
		d.do("refund %s %s%s", d.pick("1.00", "2.50", "all"), key, d.pick("", "", " dies 2s"))
		d.pause(5 * time.Second)
		d.do("%s", again)
		d.pause(2 * time.Minute)
		d.do("%s", again)
	}
}
