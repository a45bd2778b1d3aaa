package glass

import "payterm"

// TextPages exports pages for tests.
func TextPages(s payterm.Screen, columns, rows int) ([][]string, bool) {
	return cells(columns, rows).pages(s)
}
