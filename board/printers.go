package board

import "maps"

// PrinterModel has the settings of a known printer model. Settings that it does not have keep the defaults of
// all printers, and the keys of a profile override both.
type PrinterModel struct {
	Name, Vendor string
	Columns      int            // of the normal font
	Dots         int            // of the print head
	CodePages    map[string]int // number of each code page, for ESC t
	Barcode, QR  string
	Cut          bool
	CutKind      string // "": both kinds
	CutFeed      int    // in lines; 0: default
	Red          bool   // it prints a second colour
	Speed        int    // in mm/s; 0: default
	Source       string
}

// Sources: the printer definitions of @point-of-sale/receipt-printer-encoder 4.0.1, and the profiles of
// receipt-print-hq/escpos-printer-db. If they differ, the second counts where it was tested and the first was
// not.
const (
	fromEncoder = "receipt-printer-encoder 4.0.1"
	fromDB      = "escpos-printer-db"
)

// The numbers of code pages, by families of printers.
var (
	epsonPages   = map[string]int{CP437: 0, PC850: 2, WPC1252: 16, PC858: 19}
	oldPages     = map[string]int{CP437: 0, PC850: 2, PC858: 19}
	citizenPages = map[string]int{CP437: 0, PC858: 2, WPC1252: 16}
)

// PrinterModels are the known printers, by name.
var PrinterModels = []PrinterModel{
	{Name: "A779", Vendor: "HP", Columns: 44, Dots: 576,
		CodePages: map[string]int{CP437: 0, PC850: 1, PC858: 6, WPC1252: 8},
		Cut:       true, CutFeed: 4, Source: fromEncoder},
	{Name: "CT-S310II", Vendor: "Citizen", Columns: 48, Dots: 576, CodePages: citizenPages, Cut: true, CutFeed: 3,
		Source: fromEncoder},
	{Name: "CT-S651", Vendor: "Citizen", Columns: 48, Dots: 640, CodePages: epsonPages, Cut: true, Red: true,
		Source: fromDB},
	{Name: "FP-1000", Vendor: "Fujitsu", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "ITPP047", Vendor: "Munbyn", Columns: 42, Dots: 512,
		CodePages: map[string]int{CP437: 0, PC850: 2, WPC1252: 6, PC858: 19},
		Cut:       true, Source: fromDB},
	{Name: "KR-306", Vendor: "Kefar", Columns: 48, Dots: 576,
		CodePages: map[string]int{CP437: 0, PC850: 2, WPC1252: 11, PC858: 31},
		Cut:       true, Speed: 200, Source: fromDB},
	{Name: "MPT-II", Columns: 48, Dots: 576, CodePages: map[string]int{CP437: 0, PC850: 2}, Source: fromEncoder},
	{Name: "NT-5890K", Vendor: "Netum", Columns: 32, Dots: 384, CodePages: epsonPages, Barcode: BarcodeDrawn,
		QR: QRDrawn, Source: fromDB},
	{Name: "NT-80-V-UL", Vendor: "Netum", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, Source: fromDB},
	{Name: "P822D", Vendor: "PBM", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, Source: fromDB},
	{Name: "POS-5890", Vendor: "Zjiang", Columns: 32, Dots: 384, CodePages: epsonPages, Barcode: BarcodeDrawn,
		QR: QRDrawn, Source: fromDB},
	{Name: "POS-8360", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4, Source: fromEncoder},
	{Name: "RP326", Vendor: "Rongta", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, Source: fromDB},
	{Name: "RP332", Vendor: "Rongta", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, CutKind: CutFull,
		Source: fromDB},
	{Name: "SRP-350", Vendor: "Bixolon", Columns: 42, Dots: 512, CodePages: oldPages, QR: QRDrawn, Cut: true,
		CutFeed: 4, Source: fromEncoder},
	{Name: "SRP-350III", Vendor: "Bixolon", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "Sunmi-V2", Vendor: "Sunmi", Columns: 32, Dots: 384, CodePages: epsonPages, Source: fromDB},
	{Name: "T-1", Vendor: "Metapace", Columns: 42, Dots: 512, CodePages: oldPages, QR: QRDrawn, Cut: true,
		CutFeed: 4, Source: fromEncoder},
	{Name: "TH230", Vendor: "Wincor Nixdorf", Columns: 44, Dots: 576,
		CodePages: map[string]int{CP437: 0, PC850: 1, PC858: 6, WPC1252: 8},
		QR:        QRDrawn, Cut: true, Source: fromDB},
	{Name: "TM-P20II", Vendor: "Epson", Columns: 32, Dots: 384, CodePages: epsonPages, Source: fromEncoder},
	{Name: "TM-T20II", Vendor: "Epson", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-T20III", Vendor: "Epson", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-T70II", Vendor: "Epson", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-T88II", Vendor: "Epson", Columns: 42, Dots: 512, CodePages: epsonPages, QR: QRDrawn, Cut: true,
		CutFeed: 4, Source: fromEncoder},
	{Name: "TM-T88III", Vendor: "Epson", Columns: 42, Dots: 512, CodePages: epsonPages, QR: QRDrawn, Cut: true,
		CutFeed: 4, Source: fromEncoder},
	{Name: "TM-T88IV", Vendor: "Epson", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-T88V", Vendor: "Epson", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-T88VI", Vendor: "Epson", Columns: 42, Dots: 512, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-m30II", Vendor: "Epson", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "TM-m30III", Vendor: "Epson", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "XP-N160II", Vendor: "Xprinter", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "XP-T80Q", Vendor: "Xprinter", Columns: 48, Dots: 576, CodePages: epsonPages, Cut: true, CutFeed: 4,
		Source: fromEncoder},
	{Name: "YHD-8390", Vendor: "YHDAA", Columns: 48, Dots: 640,
		CodePages: map[string]int{CP437: 0, PC850: 2, WPC1252: 11, PC858: 14},
		Cut:       true, CutKind: CutPartial, Source: fromDB},
	{Name: "Youku 58T", Vendor: "Youku", Columns: 32, Dots: 384, CodePages: epsonPages, Source: fromEncoder},
	{Name: "ZJ-5870", Vendor: "ZiJiang", Columns: 32, Dots: 384,
		CodePages: map[string]int{CP437: 0, PC850: 2, WPC1252: 16},
		Barcode:   BarcodeDrawn, QR: QRDrawn, Source: fromDB},
}

// modelOf returns the model of a name.
func modelOf(name string) (PrinterModel, bool) {
	for _, m := range PrinterModels {
		if m.Name == name {
			return m, true
		}
	}
	return PrinterModel{}, false
}

// CodePage returns the model's best code page for a shop's slips: one with accents and the euro sign, if it has
// one.
func (m PrinterModel) CodePage() string {
	for _, page := range []string{PC858, WPC1252, PC850} {
		if _, has := m.CodePages[page]; has {
			return page
		}
	}
	return CP437
}

// section returns the section of a profile for such a printer, before the profile's own keys are set.
func (m PrinterModel) section() *Printer {
	return &Printer{
		Model: m.Name, Columns: m.Columns, Dots: m.Dots, CodePage: m.CodePage(), CodePages: maps.Clone(m.CodePages),
		Barcode: m.Barcode, QR: m.QR, Cut: m.Cut, CutKind: m.CutKind, CutFeed: m.CutFeed, Red: m.Red, Speed: m.Speed,
	}
}
