package ottsim

// Row is an order as GET /sim/orders shows it, without the requests. It is for a program that runs the
// simulator in its own process and looks often.
type Row struct {
	ID       string
	Mode     string
	BizType  string
	Status   string
	CodeURL  string
	Amount   int64 // in minor units
	Paid     int64
	Refunded int64
}

// Row returns one order, or false if it was never asked about.
func (s *Sim) Row(id string) (Row, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if o := s.orders[id]; o != nil {
		return s.rowOf(o), true
	}
	_, asked := s.strays[id]
	return s.rowOf(&order{ID: id, Status: "unknown"}), asked
}

// Rows returns all orders, in any order.
func (s *Sim) Rows() []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	rows := make([]Row, 0, len(s.byTime)+len(s.strays))
	for _, o := range s.byTime {
		rows = append(rows, s.rowOf(o))
	}
	for id := range s.strays {
		rows = append(rows, s.rowOf(&order{ID: id, Status: "unknown"}))
	}
	return rows
}

func (s *Sim) rowOf(o *order) Row {
	return Row{o.ID, o.Mode, o.BizType, s.publicStatus(o), o.CodeURL, o.Amount, o.Paid, o.Refunded}
}
