package doctor

import (
	"strings"
	"testing"

	"payterm/board"
	"payterm/config"
)

// TestSigns: missing characters are named, with their place and their replacement.
func TestSigns(t *testing.T) {
	board := func(more string) board.Profile {
		if more == "" {
			return board.Profile{}
		}
		p, err := board.ReadProfile("b.toml", []byte("board = \"b\"\n"+more))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	const paper = "[printer]\nusb = \"/dev/usb/lp0\"\n"
	const letters = "[display]\ncontroller = \"hd44780\"\ni2c = \"I2C1\"\ncolumns = 20\nrows = 4\n"
	const dots = "[display]\ncontroller = \"ssd1306\"\ni2c = \"I2C1\"\nwidth = 128\nheight = 64\n"
	for _, c := range []struct {
		name, text, board string
		want              []string
	}{
		{"all of it is there", "name = \"張記茶餐廳 Đặng Œuvre™\"\naddress = \"서울\"\nphone = \"1\"\ntax_id = \"é\"",
			paper + dots, nil},
		{"an emoji", "name = \"Pizza 🍕\"", paper + dots,
			[]string{"shop.toml:2: merchant.name: the printer has no sign for 🍕 (there it is ?)",
				"shop.toml:2: merchant.name: the display has no sign for 🍕 (there it is ?)"}},
		{"what is not on the glass", "address = \"🍕\"\ntax_id = \"\\u0007\"", paper + dots,
			[]string{"shop.toml:2: merchant.address: the printer",
				`shop.toml:3: merchant.tax_id: the printer has no sign for \a`}},
		{"letters only", "name = \"Crêpe Œuvre\"", letters,
			[]string{"merchant.name: the display has no sign for Œ (there it is OE)"}},
		{"letters only, Japanese", "name = \"Señor Ç\"", letters,
			[]string{"merchant.name: the display has no sign for ñ (there it is n)"}},
		{"letters only, European", "name = \"Señor Ç\"", letters + "rom = \"A02\"\n", nil},
		{"many", "name = \"張記茶餐廳香港灣仔軒\"", letters,
			[]string{"餐 (there it is ?), 廳 (there it is ?), 香 (there it is ?), 港 (there it is ?), 灣 (there it is ?), 2 more"}},
		{"no device", "name = \"🍕\"", "", nil},
		{"from right to left", "name = \"قهوة\"", paper,
			[]string{"merchant.name: it comes out sign by sign from the left, unjoined, on the printer:"}},
		{"an operator", "[[operators]]\nnumber = \"1\"\nname = \"Zoé Peña\"\npin_hash = " +
			"\"$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy\"", letters, []string{"operators.1.name: the display has no sign for ñ (there it is n)"}},
	} {
		cfg, err := config.Parse("shop.toml", []byte("[merchant]\n"+c.text+"\n"), nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := Signs(cfg, board(c.board))
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", c.name, got)
			continue
		}
		for i, p := range got {
			if !strings.Contains(p.Error(), c.want[i]) {
				t.Errorf("%s: %q, not %q", c.name, p.Error(), c.want[i])
			}
		}
	}
}
