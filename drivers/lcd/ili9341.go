package lcd

// ili9341Settings are the registers that an ILI9341 needs besides the commands of
// all panels: supply, VCOM, frame rate and gamma as its makers' application notes
// and most modules have them. What is not said keeps its value from the reset.
var ili9341Settings = [][]byte{
	{0xc0, 0x23},                   // PWCTR1: GVDD 4.60 V
	{0xc1, 0x10},                   // PWCTR2
	{0xc5, 0x3e, 0x28},             // VMCTR1: VCOMH 4.25 V, VCOML -1.50 V
	{0xc7, 0x86},                   // VMCTR2
	{0xb1, 0x00, 0x18},             // FRMCTR1: 79 Hz
	{0xb6, 0x08, 0x82, 0x27, 0x00}, // DISCTRL: 320 lines
	{0x26, 0x01},                   // GAMSET
	{0xe0, 0x0f, 0x31, 0x2b, 0x0c, 0x0e, 0x08, 0x4e, 0xf1, 0x37, 0x07, 0x10, 0x03, 0x0e, 0x09, 0x00},
	{0xe1, 0x00, 0x0e, 0x14, 0x03, 0x11, 0x07, 0x31, 0xc1, 0x48, 0x08, 0x0f, 0x0c, 0x31, 0x36, 0x0f},
}

// NewILI9341 makes a driver of an ILI9341; Init wakes the panel. Most modules are
// BGR and mirrored in x.
func NewILI9341(w Wires, o Options) (*Panel, error) {
	return newPanel("ili9341", ili9341Settings, w, o)
}
