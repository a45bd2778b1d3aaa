package keypad

import "payterm"

// Held returns the keys whose contacts are closed now, ghosts included. Safe for concurrent use.
func (m *Matrix) Held() []payterm.Key {
	if held := m.held.Load(); held != nil {
		return *held
	}
	return nil
}

// holds stores the closed contacts for Held.
func (m *Matrix) holds() {
	var held []payterm.Key
	for r := range m.raw {
		for c := range m.raw[r] {
			if m.raw[r][c] && m.count[r][c] >= m.need && m.keys[r][c] != "" {
				held = append(held, m.keys[r][c])
			}
		}
	}
	if held == nil {
		m.held.Store(nil)
		return
	}
	m.held.Store(&held)
}
