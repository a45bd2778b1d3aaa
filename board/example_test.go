package board_test

import (
	"fmt"

	"payterm/board"
)

// A profile says which device is on which wire. Defaults are filled in, and a mistake is reported with its
// line.
func ExampleReadProfile() {
	p, err := board.ReadProfile("counter.toml", []byte(`board = "counter"

[display]
controller = "ssd1306"
i2c = "I2C1"
width = 128
height = 64
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%#02x %d\n", p.Display.Address, p.Display.Contrast)

	_, err = board.ReadProfile("counter.toml", []byte(`board = "counter"

[display]
controller = "ssd1306"
i2c = "I2C1"
width = 128
height = 60
`))
	fmt.Println(err)
	// Output:
	// 0x3c 207
	// counter.toml:7: display.height: 60: the rows of ssd1306 come in eights
}
