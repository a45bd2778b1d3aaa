package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"payterm/board"
)

type boardPrintersCmd struct {
	JSON bool `help:"Print one JSON document." name:"json"`
}

// printerModel is a model of board.PrinterModels with the defaults filled in.
type printerModel struct {
	Name      string         `json:"name"`
	Vendor    string         `json:"vendor"`
	Columns   int            `json:"columns"`
	Dots      int            `json:"dots"`
	CodePage  string         `json:"code_page"`
	CodePages map[string]int `json:"code_pages"`
	Barcode   string         `json:"barcode"`
	QR        string         `json:"qr"`
	Cut       bool           `json:"cut"`
	CutKind   string         `json:"cut_kind"`
	CutFeed   int            `json:"cut_feed"`
	Red       bool           `json:"red"`
	Speed     int            `json:"speed"`
	Source    string         `json:"source"`
}

// Run lists the printers, in Markdown or as JSON.
func (c boardPrintersCmd) Run() error {
	models := make([]printerModel, len(board.PrinterModels))
	for i, m := range board.PrinterModels {
		models[i] = printerModel{
			Name: m.Name, Vendor: m.Vendor, Columns: m.Columns, Dots: m.Dots, CodePage: m.CodePage(),
			CodePages: m.CodePages, Barcode: cmp.Or(m.Barcode, board.BarcodeNative), QR: cmp.Or(m.QR, board.QRNative),
			Cut: m.Cut, CutKind: m.CutKind, CutFeed: m.CutFeed, Red: m.Red, Speed: m.Speed, Source: m.Source,
		}
	}
	return store{JSON: c.JSON}.print(struct {
		Printers []printerModel `json:"printers"`
	}{models}, func() {
		fmt.Fprint(os.Stdout, printerTable(models))
	})
}

// printerTable is the table of docs/printers.md.
func printerTable(models []printerModel) string {
	var b strings.Builder
	b.WriteString("| model | maker | columns | dots | code pages and their numbers | barcodes | QR codes | cutter | source |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	for _, m := range models {
		var pages []string
		for _, page := range slices.SortedFunc(maps.Keys(m.CodePages), func(a, b string) int {
			return cmp.Compare(m.CodePages[a], m.CodePages[b])
		}) {
			text := fmt.Sprintf("%s %d", page, m.CodePages[page])
			if page == m.CodePage {
				text = "**" + text + "**"
			}
			pages = append(pages, text)
		}
		cutter := "none"
		if m.Cut {
			cutter = cmp.Or(m.CutKind, "yes")
		}
		if m.Red {
			cutter += "; red"
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %s | %s | %s | %s | %s |\n", m.Name, cmp.Or(m.Vendor, "-"), m.Columns, m.Dots,
			strings.Join(pages, ", "), m.Barcode, m.QR, cutter, m.Source)
	}
	return b.String()
}
