package board

import (
	"fmt"
	"slices"
	"strings"
)

// Controller describes a display's controller. Controllers is the only table of them: profiles are checked
// against it, and a layout is chosen by it. The commands are in drivers/lcd, one file for each. The emulated
// chips (hal/emulated) have their own figures from the data sheets.
type Controller struct {
	Name  string // as in a profile and in lcd.Open
	Shows Shows
	Buses []Bus // on which it can be; the first is the default

	// Keys are those keys of a profile's [display] that apply to it, besides controller, backlight,
	// backlight_active_low, dim_after, dim_to and those of its bus.
	Keys string

	RAM         Size  // in pixels, as the controller counts; zero if the kernel knows the size
	Least, Most Size  // of the display; Most is the RAM if there is one
	Eights      bool  // the number of rows is a multiple of eight
	HalfTurns   bool  // it can be rotated by 180 degrees only
	Wraps       bool  // rows may begin anywhere in the RAM: offset_y says where
	Contrast    int   // default
	MaxHz       int64 // fastest SPI clock
	Addresses   []int // I2C addresses that its pins can select
	Address     int   // default

	Sizes []Size // of a character display: all possible sizes
}

// Size is the size of a display or a RAM, in pixels or in characters.
type Size struct{ Width, Height int }

// Shows is what a display can show.
type Shows int

// What a display can show.
const (
	Colours    Shows = iota // a picture in colours or greys
	TwoColours              // a picture of pixels that are on or off
	Characters              // rows of characters
)

// Bus is a kind of connection to a controller, named by its key in a profile.
type Bus string

// The buses. A frame buffer is a device file of the kernel.
const (
	SPI         Bus = "spi"
	I2C         Bus = "i2c"
	FrameBuffer Bus = "device"
	Lines       Bus = "data"
)

// busKeys are the keys that belong to a bus.
var busKeys = map[Bus]string{
	SPI: "spi speed_hz spi_mode max_transfer dc", I2C: "i2c address max_transfer", FrameBuffer: "device",
	Lines: "data rs enable",
}

// panelKeys are those of a colour panel.
const panelKeys = "reset width height offset_x offset_y rotation mirror_x mirror_y inverted bgr"

// dotsKeys are those of a monochrome display.
const dotsKeys = "reset width height offset_x rotation mirror_x mirror_y inverted contrast"

// Controllers are all controllers that payterm drives. The fastest clocks are those of the data sheets: a write
// cycle of 16 ns (ST7789V), 50 ns (ILI9488), 66 ns (ST7735S, ST7796S), 100 ns (ILI9341, SSD1306, SSD1309,
// SSD1327), 250 ns (SH1106, SH1107). Many panels work faster; speed_hz sets that. The RAM of an SSD1306 has 128
// columns. A display with 132 columns has an SH1106, which is sometimes sold as an SSD1306.
var Controllers = []Controller{
	{
		Name: "st7789", Shows: Colours, Buses: []Bus{SPI}, RAM: Size{240, 320}, Least: Size{64, 64}, MaxHz: 40_000_000,
		Keys: panelKeys,
	},
	{
		Name: "ili9341", Shows: Colours, Buses: []Bus{SPI}, RAM: Size{240, 320}, Least: Size{64, 64}, MaxHz: 10_000_000,
		Keys: panelKeys,
	},
	{
		Name: "st7735s", Shows: Colours, Buses: []Bus{SPI}, RAM: Size{132, 162}, Least: Size{64, 64}, MaxHz: 15_000_000,
		Keys: panelKeys,
	},
	{
		Name: "st7796s", Shows: Colours, Buses: []Bus{SPI}, RAM: Size{320, 480}, Least: Size{64, 64}, MaxHz: 15_000_000,
		Keys: panelKeys,
	},
	{
		Name: "ili9488", Shows: Colours, Buses: []Bus{SPI}, RAM: Size{320, 480}, Least: Size{64, 64}, MaxHz: 20_000_000,
		Keys: panelKeys,
	},
	{
		Name: "ssd1306", Shows: TwoColours, Buses: []Bus{SPI, I2C}, RAM: Size{132, 64}, Least: Size{64, 32},
		MaxHz: 10_000_000, Keys: dotsKeys + " com_pins",
		Eights: true, HalfTurns: true, Contrast: 207, Address: 0x3c, Addresses: []int{0x3c, 0x3d},
	},
	{
		Name: "ssd1309", Shows: TwoColours, Buses: []Bus{SPI, I2C}, RAM: Size{128, 64}, Least: Size{64, 32},
		MaxHz: 10_000_000, Keys: dotsKeys + " com_pins",
		Eights: true, HalfTurns: true, Contrast: 207, Address: 0x3c, Addresses: []int{0x3c, 0x3d},
	},
	{
		Name: "sh1106", Shows: TwoColours, Buses: []Bus{SPI, I2C}, RAM: Size{132, 64}, Least: Size{64, 32},
		MaxHz: 4_000_000, Keys: dotsKeys + " com_pins",
		Eights: true, HalfTurns: true, Contrast: 207, Address: 0x3c, Addresses: []int{0x3c, 0x3d},
	},
	{
		Name: "sh1107", Shows: TwoColours, Buses: []Bus{SPI, I2C}, RAM: Size{128, 128}, Least: Size{64, 64},
		MaxHz: 4_000_000, Keys: dotsKeys + " offset_y",
		Eights: true, Wraps: true, Contrast: 79, Address: 0x3c, Addresses: []int{0x3c, 0x3d},
	},
	{
		Name: "uc1701", Shows: TwoColours, Buses: []Bus{SPI}, RAM: Size{132, 64}, Least: Size{64, 32},
		MaxHz: 4_000_000, Keys: dotsKeys, Eights: true, HalfTurns: true, Contrast: 160,
	},
	{
		Name: "st7567", Shows: TwoColours, Buses: []Bus{SPI}, RAM: Size{132, 64}, Least: Size{64, 32},
		MaxHz: 4_000_000, Keys: dotsKeys, Eights: true, HalfTurns: true, Contrast: 130,
	},
	{
		Name: "ssd1327", Shows: Colours, Buses: []Bus{SPI, I2C}, RAM: Size{128, 128}, Least: Size{128, 128},
		MaxHz: 10_000_000, Keys: "reset width height rotation mirror_x mirror_y inverted contrast",
		HalfTurns: true, Contrast: 128, Address: 0x3c, Addresses: []int{0x3c, 0x3d},
	},
	{
		Name: "hd44780", Shows: Characters, Buses: []Bus{I2C, Lines}, Sizes: []Size{{16, 2}, {20, 4}},
		Keys:    "columns rows rom",
		Address: 0x27, Addresses: []int{
			0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, // PCF8574
			0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, // PCF8574A
		},
	},
	{
		Name: "fbdev", Shows: Colours, Buses: []Bus{FrameBuffer}, Least: Size{128, 128}, Most: Size{4096, 4096},
		Keys: "width height bits rotation mirror_x mirror_y",
	},
}

// ControllerOf returns a controller by its name.
func ControllerOf(name string) (Controller, bool) {
	for _, c := range Controllers {
		if c.Name == name {
			return c, true
		}
	}
	return Controller{}, false
}

func controllerNames() string {
	var names []string
	for _, c := range Controllers {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// Shows returns what a display of this profile can show.
func (d *Display) Shows() Shows {
	c, _ := ControllerOf(d.Controller) // ReadProfile accepts no other
	return c.Shows
}

// LettersOnly reports whether the board has a character display, which shows only Latin letters. Screens are
// worded for that.
func (p Profile) LettersOnly() bool { return p.Display != nil && p.Display.Shows() == Characters }

// Size returns the size of the display as a person looks at it, in pixels or in characters.
func (d *Display) Size() Size {
	if d.Shows() == Characters {
		return Size{d.Columns, d.Rows}
	}
	return Size{d.Width, d.Height}
}

func (c *checker) display(d *Display) {
	known, ok := ControllerOf(d.Controller)
	if !ok {
		c.bad("display.controller", "%q: %s", d.Controller, controllerNames())
		return
	}
	c.output("display.backlight", d.Backlight)
	if d.ActiveLow && d.Backlight == "" {
		c.bad("display.backlight_active_low", "without backlight there is no line for it")
	}
	c.dimming(d)
	bus := known.bus(d)
	if !c.apply(d, known, bus) {
		return
	}
	switch bus {
	case SPI:
		c.spi(d, known)
	case I2C:
		c.i2c(d, known)
	case Lines:
		c.pin("display.rs", d.RS, false)
		c.pin("display.enable", d.Enable, false)
		for _, name := range d.Data {
			c.pin("display.data", name, false)
		}
		if len(d.Data) != 4 {
			c.bad("display.data", "%d lines: four, D4 first", len(d.Data))
		}
	case FrameBuffer:
		if strings.HasPrefix(d.Device, "/dev/") {
			c.wire("display.device", d.Device)
		} else {
			c.bad("display.device", "%q: a frame buffer, such as /dev/fb0", d.Device)
		}
		if d.Bits != 16 && d.Bits != 32 {
			c.bad("display.bits", "%d: 16 or 32", d.Bits)
		}
	}
	c.pin("display.reset", d.Reset, true)
	c.number("display.max_transfer", &d.MaxTransfer, busTransfer)
	if c.file.Has("display.com_pins") {
		c.word("display.com_pins", &d.COMPins, COMPins)
	}
	if known.Shows == Characters {
		c.word("display.rom", &d.ROM, ROMs)
	}
	c.glass(d, known)
}

// bus returns the bus that a display is on.
func (known Controller) bus(d *Display) Bus {
	if d.Data != nil && d.I2C == "" && slices.Contains(known.Buses, Lines) {
		return Lines
	}
	for bus, name := range map[Bus]string{SPI: d.SPI, I2C: d.I2C, FrameBuffer: d.Device} {
		if name != "" && slices.Contains(known.Buses, bus) && (bus != I2C || d.SPI == "") {
			return bus
		}
	}
	return known.Buses[0]
}

// displayKeys are the keys that do not apply to every controller.
var displayKeys = strings.Fields("spi speed_hz dc i2c address device bits reset width height columns rows offset_x " +
	"offset_y rotation mirror_x mirror_y inverted bgr contrast data rs enable spi_mode max_transfer com_pins rom")

// apply refuses keys that do not apply to this controller on this bus.
func (c *checker) apply(d *Display, known Controller, bus Bus) bool {
	means := strings.Fields(known.Keys + " " + busKeys[bus])
	fine := true
	harmless := map[string]bool{
		"offset_x": d.OffsetX == 0, "offset_y": d.OffsetY == 0, "rotation": d.Rotation == 0, "spi_mode": d.SPIMode == 0,
		"mirror_x": !d.MirrorX, "mirror_y": !d.MirrorY, "inverted": !d.Inverted, "bgr": !d.BGR,
	}
	for _, key := range displayKeys {
		if c.file.Has("display."+key) && !harmless[key] && !slices.Contains(means, key) {
			c.bad("display."+key, "has no meaning for %s on %s", d.Controller, bus)
			fine = false
		}
	}
	return fine
}

func (c *checker) spi(d *Display, known Controller) {
	c.spiBus("display.spi", d.SPI)
	c.pin("display.dc", d.DC, false)
	if d.SpeedHz == 0 && !c.file.Has("display.speed_hz") {
		d.SpeedHz = known.MaxHz
	}
	if d.SPIMode != 0 && d.SPIMode != 3 {
		c.bad("display.spi_mode", "%d: 0 or 3", d.SPIMode)
	}
	if d.SpeedHz < leastHz || d.SpeedHz > mostHz {
		c.bad("display.speed_hz", "%d: %d to %d", d.SpeedHz, leastHz, mostHz)
	}
}

func (c *checker) i2c(d *Display, known Controller) {
	switch {
	case !i2cName.MatchString(d.I2C):
		c.bad("display.i2c", "%q: a bus, such as I2C1", d.I2C)
	case c.header != nil && c.header.shared(d.I2C) == nil:
		c.bad("display.i2c", "%s is not on the header of this board, which has %s (for one that an overlay makes of other "+
			"lines: header = %q, which has nothing checked)", d.I2C, c.header.i2cBuses(), noHeader)
	default:
		c.shares("display.i2c", d.I2C)
	}
	if d.Address == 0 && !c.file.Has("display.address") {
		d.Address = known.Address
	}
	if !slices.Contains(known.Addresses, d.Address) {
		c.bad("display.address", "%#02x is no address of %s; %#02x is what most have",
			d.Address, d.Controller, known.Address)
	}
}

// glass checks the display's size against the controller's limits.
func (c *checker) glass(d *Display, known Controller) {
	if !slices.Contains([]int{0, 90, 180, 270}, d.Rotation) {
		c.bad("display.rotation", "%d: 0, 90, 180 or 270", d.Rotation)
	}
	switch {
	case known.Shows == Characters:
		if !slices.Contains(known.Sizes, Size{d.Columns, d.Rows}) {
			var all []string
			for _, size := range known.Sizes {
				all = append(all, fmt.Sprintf("%d by %d", size.Width, size.Height))
			}
			c.bad("display.columns", "%d by %d rows: %s", d.Columns, d.Rows, strings.Join(all, ", or "))
		}
		return
	case known.HalfTurns && d.Rotation%180 != 0:
		c.bad("display.rotation", "%d: %s turns by 180 only", d.Rotation, d.Controller)
	case known.Eights && d.Height%8 != 0:
		c.bad("display.height", "%d: the rows of %s come in eights", d.Height, d.Controller)
	case known.RAM == Size{}:
		c.between("display.width", d.Width, known.Least.Width, known.Most.Width)
		c.between("display.height", d.Height, known.Least.Height, known.Most.Height)
	default:
		c.window(d, known)
	}
	if known.Contrast != 0 {
		usual := dotsContrast
		usual.usual = known.Contrast
		c.number("display.contrast", &d.Contrast, usual)
	}
}

// window checks that the display lies within the controller's RAM.
func (c *checker) window(d *Display, known Controller) {
	ram := known.RAM
	across, down := known.Wraps && d.Rotation%180 != 0, known.Wraps && d.Rotation%180 == 0
	if d.Rotation == 90 || d.Rotation == 270 {
		ram = Size{ram.Height, ram.Width}
	}
	for _, side := range []struct {
		name         string
		size, offset int
		offsetName   string
		least, ram   int
		wraps        bool
	}{
		{"width", d.Width, d.OffsetX, "offset_x", known.Least.Width, ram.Width, across},
		{"height", d.Height, d.OffsetY, "offset_y", known.Least.Height, ram.Height, down},
	} {
		beyond := side.size > side.ram-side.offset
		if side.wraps {
			beyond = side.size > side.ram || side.offset >= side.ram
		}
		if side.size < side.least || side.offset < 0 || beyond {
			c.bad("display."+side.name, "%d with %s %d: %d to %d in all, at rotation %d",
				side.size, side.offsetName, side.offset, side.least, side.ram, d.Rotation)
		}
	}
}
