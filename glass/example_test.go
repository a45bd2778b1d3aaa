package glass_test

import (
	"errors"
	"fmt"

	"payterm"
	"payterm/glass"
	"payterm/unifont"
)

// On a character display a screen has as many pages as it needs.
func ExampleRows() {
	rows := glass.NewRows(20, 4, unifont.A00)
	page, err := rows.Set(payterm.Screen{
		Name: "amount", Title: "Amount", Amount: "$12.34", Status: "12:34",
		Lines: []string{"Enter the amount, then press the green key"},
		Keys:  []payterm.KeyHint{{Key: payterm.KeyEnter, Does: "OK"}, {Key: payterm.KeyCancel, Does: "stop"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	second, more := rows.Turn()
	for _, row := range append(page, second...) {
		fmt.Printf("|%-20s|\n", row)
	}
	fmt.Println(more)
	// Output:
	// |$12.34         12:34|
	// |Amount              |
	// |Enter the amount,   |
	// |then press the green|
	// |key                 |
	// |ENTER OK            |
	// |CANCEL stop         |
	// true
}

// On a pixel display a screen is a picture. If something does not fit, Paint returns an error too.
func ExamplePainter_Paint() {
	p, err := glass.NewPainter(240, 320)
	if err != nil {
		fmt.Println(err)
		return
	}
	picture, err := p.Paint(payterm.Screen{Name: "idle", Title: "Ready", Amount: "$12.34"})
	fmt.Println(picture.Bounds(), err)

	_, err = p.Paint(payterm.Screen{Name: "long", Title: "Donaudampfschifffahrtsgesellschaftskapitänsmütze"})
	fmt.Println(errors.Is(err, glass.ErrDoesNotFit))
	// Output:
	// (0,0)-(240,320) <nil>
	// true
}
