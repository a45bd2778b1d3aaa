package lcd_test

import (
	"fmt"
	"image"
	"image/color"
	"time"

	"payterm/drivers/lcd"
	"payterm/hal/haltest"
)

// The first picture is sent completely, the next one as a window of changed pixels: columns
// (CASET, 2a), rows (RASET, 2b), and pixels (RAMWR, 2c).
func Example() {
	var bus haltest.Bus // records what is sent; hal.Ports opens a real one
	wires := lcd.Wires{Conn: bus.Conn(), DC: bus.Pin("D/C"), Reset: bus.Pin("reset"), Backlight: bus.Pin("backlight")}
	options := lcd.Options{Width: 240, Height: 320, Inverted: true, Sleep: func(time.Duration) {}}
	panel, err := lcd.NewST7789(wires, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := panel.Init(); err != nil {
		fmt.Println(err)
		return
	}
	picture := image.NewRGBA(image.Rect(0, 0, 240, 320))
	if err := panel.Send(picture); err != nil {
		fmt.Println(err)
		return
	}
	bus.Clear()
	picture.SetRGBA(10, 20, color.RGBA{R: 0xff, A: 0xff})
	if err := panel.Send(picture); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(bus.String())
	// Output:
	// D/C low
	// spi 2a
	// D/C high
	// spi 00 0a 00 0a
	// D/C low
	// spi 2b
	// D/C high
	// spi 00 14 00 14
	// D/C low
	// spi 2c
	// D/C high
	// spi f8 00
}

// A display of characters takes rows of text. Which signs it has is for the caller to
// know: package glass makes rows of what can be shown.
func ExampleHD44780_Write() {
	var bus haltest.Bus
	options := lcd.Options{Width: 16, Height: 2, Sleep: func(time.Duration) {}}
	display, err := lcd.NewHD44780(lcd.Wires{Conn: bus.I2C(0x27)}, options)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := display.Init(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(display.Write([]string{"Amount", "$12.34"}))
	fmt.Println(display.Write([]string{"a row that is longer than sixteen characters"}))
	// Output:
	// <nil>
	// lcd: hd44780: 44 characters on a row of 16
}
